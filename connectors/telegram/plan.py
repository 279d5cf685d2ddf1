"""An outbound message as calls of the Bot API: callback answers first, then every part in order. Pure; total.

The token in the URLs is a placeholder; the sender fills it in.
"""

from typing import Any

from connectors.interface import Call, Channel, Window
from connectors.shared.nearest import nearest_parts
from connectors.shared.text import utf16_units
from connectors.telegram.api import TEXT_UNITS_MAX, method_url, split_peer
from connectors.telegram.keyboard import keyboards
from connectors.telegram.render import EMPTY, Block, Piece, blocks_of, text_pieces
from schemas.outbound import Button, OutboundMessage, Part


def plan(message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
    """One call per message that the person will see; every part is covered, a long one by several calls.

    Telegram has no reply window. Quotes ``reply_to`` with the first visible call.
    """
    answers = tuple(_answer(callback_id, channel) for callback_id in message.callback_ids)
    target = _target(message.peer)
    quote = _quote(message.reply_to)
    calls: list[Call] = []
    for shown in nearest_parts(message):
        pieces = _pieces(shown.part)
        pieces[0].changes[:0] = shown.changes
        for piece in pieces:
            body = {**target, **piece.fields, **({} if calls else quote)}
            calls.append(_call(piece, shown.part, channel, body=body))
    return answers + tuple(calls)


def _answer(callback_id: str, channel: Channel) -> Call:
    """Stops the spinner of a tapped button ("Telegram Bot API", section "answerCallbackQuery"); nobody sees it."""
    return Call(
        name="answerCallbackQuery",
        method="POST",
        url=method_url(channel.api_base, "answerCallbackQuery"),
        headers={},
        body={"callback_query_id": callback_id},
        part_ids=(),
        is_visible=False,
    )


def _call(piece: Piece, part: Part, channel: Channel, *, body: dict[str, Any]) -> Call:
    return Call(
        name=piece.method,
        method="POST",
        url=method_url(channel.api_base, piece.method),
        headers={},
        body=body,
        part_ids=(part.id,),
        changes=tuple(piece.changes),
    )


def _target(peer: str) -> dict[str, Any]:
    chat_id, business_connection_id = split_peer(peer)
    target: dict[str, Any] = {"chat_id": chat_id}
    if business_connection_id:
        target["business_connection_id"] = business_connection_id
    return target


def _quote(reply_to: str | None) -> dict[str, Any]:
    if reply_to is None or not (reply_to.isascii() and reply_to.isdigit()):
        return {}
    # A quoted message may have been deleted meanwhile: the answer is worth more than the quote.
    return {"reply_parameters": {"message_id": int(reply_to), "allow_sending_without_reply": True}}


def _pieces(part: Part) -> list[Piece]:
    blocks = blocks_of(part.content)
    pieces = [piece for block in blocks[:-1] for piece in _with_buttons(block)]
    last = Block(blocks[-1].pieces, [*blocks[-1].rows, *part.rows])
    return pieces + _with_buttons(last, part.quick_replies)


def _with_buttons(block: Block, quick_replies: tuple[Button, ...] = ()) -> list[Piece]:
    """The keyboard under the last piece; buttons that had to become text stand there too."""
    found = keyboards(block.rows, quick_replies)
    pieces = list(block.pieces)
    if found.lines:
        _add_lines(pieces, "\n".join(found.lines))
    pieces[-1].changes += found.changes
    for number, markup in enumerate(found.markups):
        if number:
            pieces.append(Piece("sendMessage", {"text": EMPTY}))
        pieces[-1].fields["reply_markup"] = markup
    return pieces


def _add_lines(pieces: list[Piece], lines: str) -> None:
    last = pieces[-1]
    together = f"{last.fields['text']}\n{lines}" if last.method == "sendMessage" else ""
    if together and utf16_units(together) <= TEXT_UNITS_MAX:
        last.fields["text"] = together
    else:
        pieces.extend(text_pieces(lines))
