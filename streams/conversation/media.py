"""Media and profiles: what is to be fetched, and how long a turn waits for it. Reads and writes the history's keys.

That something is awaited is a timer of the state, ``media:`` + the id of the event that brought it. It is set by that
event and ends by `media_stored`, `media_failed` or its own `timer_fired`, never by a decision of ours, so a fold that
reads our decisions later has the same timers all the time.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from schemas.content import Content, MediaContent, StickerContent
from schemas.envelope import AnyEvent, Event
from schemas.events import ChoiceMade, MediaFailed, MediaStored, MessageEchoed, MessageEdited, MessageReceived
from schemas.fetching import FetchRequest
from schemas.ids import derived_id
from streams.conversation import history, wording
from streams.conversation.history import Entry
from streams.conversation.model import State, Waiting, asked_of, with_timer
from streams.conversation.scope import Scope

MEDIA = "media"
"""Starts the names of these timers."""

AWAITED_MAX = 16
"""Media awaited at once; for what comes beyond it (a long album) no turn waits. It is fetched all the same."""

PROFILE_MS = 86_400_000
"""A profile that was asked for longer ago is asked for again, when its contact writes."""

PROFILES_MAX = 32
"""Contacts of one conversation, in a day, whose profiles are asked for; in a larger group the others stay unknown."""


def is_kept(content: Content) -> bool:
    """Whether the platform has bytes for this content that should become ours: its links do not last."""
    has_id = isinstance(content, MediaContent | StickerContent) and content.media_id is not None
    return has_id or wording.media_url_of(content) is not None


def await_stored(state: State, event: Event[MessageReceived] | Event[ChoiceMade], scope: Scope) -> State:
    """From now on a turn that would end with this media waits for it. Stories and shares are beside words."""
    content = event.data.content
    if not isinstance(content, MediaContent | StickerContent) or not is_kept(content) or not scope.limits.media_ms:
        return state
    if sum(name.startswith(f"{MEDIA}:") for name in state.timers) >= AWAITED_MAX:
        return state
    return with_timer(state, _timer(event.id), scope.now + scope.limits.media_ms)


def source_after_edit(entry: Entry, event: Event[MessageEdited]) -> dict[str, str | None]:
    """Where an edited message's media is, as members of its entry. New words under the same media leave it as it is;
    other media is fetched anew."""
    content = event.data.content
    media_id = content.media_id if isinstance(content, MediaContent) else None
    if media_id is not None and media_id == entry.details.get("media_id"):
        return {"media_url": entry.media_url, "event_id": entry.event_id}
    return {"media_url": wording.media_url_of(content), "event_id": event.id if is_kept(content) else ""}


def is_awaited(state: State, messages: Sequence[Waiting]) -> bool:
    """Whether the message that the AI would be asked about is still awaited."""
    return _timer(asked_of(messages).event_id) in state.timers


def on_stored(state: State, event: Event[MediaStored], scope: Scope) -> State:
    """The platform's link expires; the AI is told ours from now on."""
    content = event.data.content
    for seq, entry in history.find(scope, event.data.message_id):
        if entry.event_id and entry.event_id == event.causation_id:
            mime_type = content.mime_type if isinstance(content, MediaContent) else None
            details = entry.details | {"mime_type": mime_type} if mime_type else entry.details
            history.put(scope, seq, replace(entry, media_url=wording.media_url_of(content), details=details))
    return _settled(state, event)


def on_failed(state: State, event: Event[MediaFailed], scope: Scope) -> State:
    """Nobody waits any longer; the platform's own link stays, for what it is worth."""
    return _settled(state, event)


def on_wait_end(state: State, event_id: str, scope: Scope) -> State:
    """The wait is over when its timer is: the media may still come."""
    return state


def asked_profiles(state: State, contact_id: str, scope: Scope) -> dict[str, int]:
    """``State.profiles`` after a message of this contact; the same object when no profile is due."""
    asked_at = state.profiles.get(contact_id)
    if not contact_id or (asked_at is not None and scope.now - asked_at < PROFILE_MS):
        return state.profiles
    recent = {contact: at for contact, at in state.profiles.items() if scope.now - at < PROFILE_MS}
    return recent | {contact_id: scope.now} if len(recent) < PROFILES_MAX else state.profiles


def fetch_requests(before: State, after: State, event: AnyEvent) -> list[FetchRequest]:
    """The commands for `fetch` that follow from an event: its media, and its sender's profile when that is due. Of an
    echo only what the history took: the others show what we sent."""
    is_taken = event.type != "message_echoed" or after.next > before.next
    if event.type not in ("message_received", "choice_made", "message_edited", "message_echoed") or not is_taken:
        return []
    data: MessageReceived | ChoiceMade | MessageEdited | MessageEchoed = event.data
    made = []
    if is_kept(data.content):
        made.append(_request(event, after.now, {"what": "media", "content": data.content}))
    if after.profiles.get(data.sender_id) not in (None, before.profiles.get(data.sender_id)):
        made.append(_request(event, after.now, {"what": "profile", "metadata": data.metadata}))
    return made


def _request(event: AnyEvent, now: int, members: dict[str, object]) -> FetchRequest:
    what = str(members["what"])
    return FetchRequest.model_validate(
        {
            "id": derived_id(event.id, f"fetch_{what}"),
            "conversation_id": event.conversation_id,
            "platform": event.platform,
            "channel": event.channel,
            "contact_id": event.data.sender_id,
            "message_id": event.data.message_id if what == "media" else None,
            "requested_at": now,
            "causation_id": event.id,
            "correlation_id": event.correlation_id or event.id,
            **members,
        }
    )


def _timer(event_id: str) -> str:
    return f"{MEDIA}:{event_id}"


def _settled(state: State, event: AnyEvent) -> State:
    return with_timer(state, _timer(event.causation_id or ""), None)
