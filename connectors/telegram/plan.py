"""An outbound message as calls of the Bot API: what nobody sees first, then every part in order. Pure; total.

The token in the URLs is a placeholder; the sender fills it in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.interface import Call, Channel, Window
from connectors.shared.nearest import Abilities, Nearest, nearest_parts, told
from connectors.telegram.albums import Planned, with_albums
from connectors.telegram.api import method_url, split_peer
from connectors.telegram.changing import can_react, change_of, is_message_id
from connectors.telegram.indicators import callback_answers, indicators
from connectors.telegram.pieces import pieces_of
from schemas.ids import derived_id
from schemas.outbound import DeletionContent, OutboundMessage, PartContent, ReactionContent


def plan(message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
    """One call per message that the person will see, several pictures with one ``album_id`` in one; every part is
    covered, a long one by several calls.

    Telegram has no reply window. Quotes ``reply_to`` with the first new message.
    """
    chat = _Chat.of(message.peer)
    abilities = Abilities(chat.has, edits=True, answers=True, albums=True, formats=True, vcards=True)
    shown = [planned for nearest in nearest_parts(message, abilities) for planned in _pieces(nearest, chat)]
    answers, cut = callback_answers(message)
    unseen, left_out = indicators(message, chat.target)
    quote = _quote(message.reply_to)
    calls = [_unseen(method, body, channel) for method, body in (*answers, *unseen)]
    for planned in with_albums(shown):
        is_new = planned.piece.method.startswith("send")
        body = {**chat.target, **planned.piece.fields, **(quote if is_new else {})}
        calls.append(_call(planned, channel, body=body))
        quote = {} if is_new else quote
    if quote:
        left_out = (*left_out, "shown without a quote: no new message was sent")
    return told(calls, (*cut, *left_out))


@dataclass(frozen=True, slots=True)
class _Chat:
    """Where it goes: ``target`` are the members that every request has."""

    target: dict[str, Any]
    is_business: bool
    is_private: bool

    @classmethod
    def of(cls, peer: str) -> "_Chat":
        chat_id, connection = split_peer(peer)
        target: dict[str, Any] = {"chat_id": chat_id}
        if connection:
            target["business_connection_id"] = connection
        return cls(target, bool(connection), isinstance(chat_id, int) and chat_id > 0 and not connection)

    def has(self, content: PartContent) -> bool:
        """Whether there is a method for it: a bot reacts in chats of its own, and changes what it can name."""
        match content:
            case ReactionContent():
                return not self.is_business and can_react(content)
            case DeletionContent():
                return is_message_id(content.message_id)
            case _:
                return False


def _pieces(nearest: Nearest, chat: _Chat) -> Iterator[Planned]:
    part = nearest.part
    pieces = change_of(part, is_business=chat.is_business) or pieces_of(part, is_private=chat.is_private)
    pieces[0].changes[:0] = nearest.changes
    return (Planned((part,), piece) for piece in pieces)


def _call(planned: Planned, channel: Channel, *, body: dict[str, Any]) -> Call:
    method = planned.piece.method
    part_ids = tuple(part.id for part in planned.parts)
    if method == "deleteBusinessMessages":
        body = {name: value for name, value in body.items() if name != "chat_id"}
    return Call(
        name=method,
        method="POST",
        url=method_url(channel.api_base, method),
        headers={},
        body=body,
        part_ids=part_ids,
        changes=tuple(planned.piece.changes),
        # To change a message to the same once more changes nothing.
        idempotency_key=None if method.startswith("send") else derived_id(part_ids[0], method),
    )


def _unseen(method: str, body: dict[str, Any], channel: Channel) -> Call:
    return Call(
        name=method,
        method="POST",
        url=method_url(channel.api_base, method),
        headers={},
        body=body,
        part_ids=(),
        is_visible=False,
    )


def _quote(reply_to: str | None) -> dict[str, Any]:
    if reply_to is None or not is_message_id(reply_to):
        return {}
    # A quoted message may have been deleted meanwhile: the answer is worth more than the quote.
    return {"reply_parameters": {"message_id": int(reply_to), "allow_sending_without_reply": True}}
