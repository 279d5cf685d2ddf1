"""From a neutral message to drafts, as far as the Send API is the same on Messenger and Instagram. Pure.

Reads an ``OutboundMessage`` and the platform's renderers; writes marked drafts in order. Every part gets at least one
draft; quick replies stand on the very last one, because the next message would take them away.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from connectors.interface import Window
from connectors.shared.meta.drafts import Draft, Limits, quick_replies_of, text_drafts, with_changes
from connectors.shared.meta.messages import OWN_MARK
from connectors.shared.nearest import Abilities, nearest_parts
from schemas.outbound import Button, OutboundMessage, Part, ReactionContent

ACTION = "sender_action"

WINDOW_MS = 24 * 3600 * 1000
"""Standard messaging window after the person's last message ("Messenger Platform policy overview")."""

HUMAN_AGENT_MS = 7 * 24 * 3600 * 1000
"""A person of the business may still answer within seven days ("Message tags": HUMAN_AGENT)."""


class Recipient(TypedDict):
    """The person, by the id that the page or account knows."""

    id: str


class ReplyTo(TypedDict):
    """The message that is quoted."""

    mid: str


class SendBody(TypedDict):
    """``reply_to`` stands here and not inside ``message``; ``template`` is Messenger's."""

    recipient: Recipient
    messaging_type: NotRequired[str]
    tag: NotRequired[str]
    message: NotRequired[dict[str, Any]]
    template: NotRequired[dict[str, Any]]
    sender_action: NotRequired[str]
    payload: NotRequired[dict[str, Any]]
    reply_to: NotRequired[ReplyTo]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a part asks for beside its content: ``buttons`` to stand under it, within ``limits``."""

    buttons: Sequence[Button]
    message: OutboundMessage
    limits: Limits

    def texts(self, words: str, *changes: str) -> list[Draft]:
        """These words with the buttons under them."""
        return with_changes(text_drafts(words, self.buttons, self.limits), changes)

    def followed_by_buttons(self, draft: Draft, *changes: str) -> list[Draft]:
        """A draft that can carry no buttons, and a message after it where there are some."""
        return with_changes([draft, *(self.texts("") if self.buttons else [])], changes)


Renderers = Mapping[type, Callable[[Any, Asked], list[Draft]]]
"""How each content kind of a part is drawn; every kind of ``PartContent`` has one."""


def marked_drafts(
    message: OutboundMessage,
    renderers: Renderers,
    limits: Limits,
    abilities: Abilities,
) -> list[tuple[Part, Draft]]:
    """Drafts in order, each with the part that it belongs to; total. No parts (all settled before) need no drafts.

    What is beyond the platform's ``abilities`` is simplified before the renderers draw it.
    """
    shown = nearest_parts(message, abilities)
    if not shown:
        return []
    *earlier, last = [one.part for one in shown]
    simplified = {one.part.id: one.changes for one in shown}
    # All taps of a turn are offered together at its end; what quick replies cannot carry joins the last buttons.
    wanted = [button for one in shown for button in one.part.quick_replies]
    quick_replies, others, changes = quick_replies_of(wanted, limits)
    if any(part.quick_replies for part in earlier):
        changes.append("quick replies moved to the last message")

    def drawn(part: Part, more: Sequence[Button] = ()) -> list[Draft]:
        asked = Asked((*(button for row in part.rows for button in row), *more), message, limits)
        drafts = renderers[type(part.content)](part.content, asked)
        return _marked(part, with_changes(drafts, simplified[part.id]), limits)

    drafts = [(part, draft) for part in earlier for draft in drawn(part)]
    drafts += [(last, draft) for draft in with_changes(drawn(last, others), changes)]
    # What is no message takes no quick replies away.
    at = next((at for at in range(len(drafts) - 1, -1, -1) if ACTION not in drafts[at][1].body), len(drafts) - 1)
    drafts[at] = (drafts[at][0], _with_quick_replies(drafts[at][1], quick_replies))
    return drafts


def reaction_draft(content: ReactionContent, names: Mapping[str, str]) -> Draft:
    """A reaction by its name, or none any more ("Send API": sender_action react, unreact)."""
    payload = {"message_id": content.message_id}
    if content.emoji:
        return Draft({ACTION: "react", "payload": payload | {"reaction": names[plain_emoji(content.emoji)]}})
    return Draft({ACTION: "unreact", "payload": payload})


def plain_emoji(emoji: str) -> str:
    """Without the mark that asks for its colourful form."""
    return emoji.replace("\ufe0f", "")


def unseen_actions(message: OutboundMessage) -> list[str]:
    """The sender actions before a message, which nobody sees as one; the person's last message is the one that is
    marked, whichever is named."""
    asked = (("mark_seen", message.mark_read is not None), ("typing_on", message.typing))
    return [action for action, is_asked in asked if is_asked]


def is_for_human_agent(message: OutboundMessage, window: Window) -> bool:
    """Whether a person answers after the window and within the seven days that only people have."""
    last = window.last_inbound_ms
    is_late = last is not None and WINDOW_MS < window.now_ms - last <= HUMAN_AGENT_MS
    return message.origin == "human" and is_late


def _marked(part: Part, drafts: list[Draft], limits: Limits) -> list[Draft]:
    """Mark every message so that its echo tells what it was. The last of a part bears the part's plain id: messages go
    out one after the other, so that its arrival stands for all of them."""
    marked = []
    for number, draft in enumerate(drafts, 1):
        piece = "" if number == len(drafts) else f"#{number}"
        mark = f"{OWN_MARK}{part.id}{piece}"[: limits.metadata_max]
        body = dict(draft.body)
        if "message" in body:
            body["message"] = body["message"] | {"metadata": mark}
        marked.append(Draft(body, draft.changes))
    return marked


def _with_quick_replies(draft: Draft, quick_replies: list[dict[str, Any]]) -> Draft:
    if not quick_replies:
        return draft
    if "message" not in draft.body:
        kind = "a reaction" if ACTION in draft.body else "an approved template"
        return Draft(draft.body, (*draft.changes, f"quick replies left out: {kind} carries none"))
    return Draft({"message": draft.body["message"] | {"quick_replies": quick_replies}}, draft.changes)
