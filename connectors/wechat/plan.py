"""A message → WeChat calls, one per message that the follower sees. Pure and total.

The access token in the addresses is a placeholder; the sender fills it in.
"""

from connectors.interface import Call, Channel, Window
from connectors.shared.nearest import Abilities, nearest_parts, told
from connectors.wechat import api
from connectors.wechat.menu import Piece
from connectors.wechat.render import is_native, render
from schemas.outbound import OutboundMessage

PATHS = {api.SEND: api.SEND_PATH, api.TEMPLATE: api.TEMPLATE_PATH, api.TYPING: api.TYPING_PATH}


def plan(message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
    """Every part in order, a long one in several calls.

    The window is left to WeChat to judge: what opens it (a scan, a tap on the menu, a payment) and how many messages
    are left in it is known there only.
    """
    calls: list[Call] = []
    changes: tuple[str, ...] = ("shown without a quote: WeChat has none",) if message.reply_to else ()
    for shown in nearest_parts(message, Abilities(is_native)):
        changes += shown.changes
        for piece in render(shown.part):
            calls.append(_call(piece, channel, part_id=shown.part.id, peer=message.peer, changes=changes))
            changes = ()
    if not calls:
        return ()
    left_out = ("not marked as read: WeChat has no such mark",) if message.mark_read else ()
    typing = Piece({"command": "Typing"}, name=api.TYPING)
    unseen = [_call(typing, channel, peer=message.peer)] if message.typing else []
    return (*unseen, *told(calls, left_out))


def _call(
    piece: Piece, channel: Channel, *, peer: str, part_id: str | None = None, changes: tuple[str, ...] = ()
) -> Call:
    """A call without a part is one that nobody sees."""
    base = (channel.api_base or api.API_BASE).rstrip("/")
    return Call(
        name=piece.name,
        method="POST",
        url=base + PATHS[piece.name] + api.TOKEN_QUERY,
        # The body is UTF-8 with raw characters: \u escapes would be shown to the follower as they are.
        headers={"Content-Type": "application/json; charset=utf-8"},
        body={"touser": peer, **piece.body},
        part_ids=() if part_id is None else (part_id,),
        is_visible=part_id is not None,
        changes=(*changes, *piece.changes),
    )
