"""What may be chosen about conversations: limits from the settings, and each channel's policy.

Reads ``Settings`` and the ``policy`` table of a channel; the decisions carry the policy's version.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.interface import Channel
from streams.settings import Settings, SettingsError
from streams.topics import DAY_MS

LEASE_S = 1_800.0
"""A person who answers from the platform's own app keeps the bot silent this long."""

ORPHAN_WAIT_MS = 600_000
"""An edit, deletion or reaction waits this long for its message."""

ON_UNKNOWN = ("hold",)
"""What may follow an unknown send after ``evidence_wait_s``. ``hold``: nothing more is said, the part stays unknown."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a state. A table and a fold agree only under equal limits."""

    context_messages: int = 50
    context_chars_max: int = 2_000
    pending_messages_max: int = 200
    session_ms: int = DAY_MS
    evidence_ms: int = 60_000
    turn_ms: int = 15_000
    memory_ms: int = 7 * DAY_MS
    orphan_ms: int = ORPHAN_WAIT_MS
    media_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class Policy:
    """What a channel's owner decides; ``version`` is named in every event that the policy led to. ``typing`` and
    ``mark_read``: an answer first shows that it is coming, and that the person's message was read. ``quote``: it quotes
    the message that it answers, where that is not plain to see."""

    version: int = 0
    lease_ms: int = int(LEASE_S * 1000)
    on_unknown: str = "hold"
    typing: bool = False
    mark_read: bool = False
    quote: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """What decisions about a channel's conversations depend on beside the log; ``config`` is the
    ``schemas.replies.PlatformConfig`` that is told to the AI, as a dictionary; ``can_quote``: messages of the platform
    can quote others; ``may_be_anonymous``: whether its reports of what is sent to a peer may fail to say whose they
    are, None where they never do."""

    limits: Limits
    policy: Policy
    config: Mapping[str, Any]
    can_quote: bool = False
    may_be_anonymous: Callable[[str], bool] | None = None


def limits_of(settings: Settings) -> Limits:
    """The settings in the units of the fold."""
    return Limits(
        context_messages=settings.context_messages,
        context_chars_max=settings.context_chars_max,
        pending_messages_max=settings.pending_messages_max,
        session_ms=int(settings.session_hours * 3_600_000),
        evidence_ms=int(settings.evidence_wait_s * 1000),
        turn_ms=int(settings.ai_turn_timeout_s * 1000),
        memory_ms=int(settings.dedup_days * DAY_MS),
        media_ms=int(settings.media_wait_s * 1000),
    )


def policy_of(channel: Channel) -> Policy:
    """A channel's policy: ``lease_s`` (seconds), ``on_unknown``, ``typing``, ``mark_read`` and ``quote``. Raises
    SettingsError, which names channel and key.

    ``resend`` and ``ask`` are refused: the conversation keeps no copy of what was said, so it could not say it again.
    """
    table: Mapping[str, Any] = channel.policy
    where = f"channel {channel.id!r} ({channel.platform}): policy"
    lease_s = table.get("lease_s", LEASE_S)
    if isinstance(lease_s, bool) or not isinstance(lease_s, int | float) or not 0 < lease_s < float("inf"):
        raise SettingsError(f"{where}.lease_s = {lease_s!r}: give the seconds of a human's lease, more than 0")
    on_unknown = table.get("on_unknown", "hold")
    if on_unknown not in ON_UNKNOWN:
        raise SettingsError(
            f"{where}.on_unknown = {on_unknown!r}: only 'hold' is supported: a message whose fate is unknown is not "
            'sent again; write on_unknown = "hold" or leave it out'
        )
    shown = {name: table.get(name, getattr(Policy(), name)) for name in ("typing", "mark_read", "quote")}
    for name, value in shown.items():
        if not isinstance(value, bool):
            raise SettingsError(f"{where}.{name} = {value!r}: write true or false")
    return Policy(lease_ms=int(lease_s * 1000), on_unknown=on_unknown, **shown)
