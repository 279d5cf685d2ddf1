"""What can go wrong at a platform's edge, sorted by what the caller can do.

ConnectorError
├── WebhookRejected   inbound: answer ``status``, store nothing
├── SendError         outbound: its fields say what to do next
└── FetchError        media and profiles: may it be tried again, or is its link dead
"""


class ConnectorError(Exception):
    """Base of all errors of this package."""


class WebhookRejected(ConnectorError):
    """The request is not what the platform would send; answer ``status`` and store nothing."""

    def __init__(self, reason: str, *, status: int = 403) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class SendError(ConnectorError):
    """One attempt of one call failed.

    ``retryable``: the same call may be tried again, not before ``retry_after_s`` where that is given.
    ``ambiguous``: it may have reached the user. ``channel_wide``: every call of this channel would fail, so pause it.
    ``replan``: the window in which the call was planned is gone (a spent reply token); plan again without it.
    ``unreachable``: this contact cannot be written to any more. ``moved_to``: it can, but as this peer.
    """

    def __init__(
        self,
        reason: str,
        *,
        code: str | None = None,
        retryable: bool = False,
        retry_after_s: float | None = None,
        ambiguous: bool = False,
        channel_wide: bool = False,
        replan: bool = False,
        unreachable: bool = False,
        moved_to: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.ambiguous = ambiguous
        self.channel_wide = channel_wide
        self.replan = replan
        self.unreachable = unreachable
        self.moved_to = moved_to


class FetchError(ConnectorError):
    """One attempt at a media or profile failed. ``code`` is a word of ours for the log, ``reason`` the whole story.

    ``retryable``: it may be tried again, not before ``retry_after_s`` where that is given. ``is_gone``: nothing lies
    behind this link any more; where the platform has an id for it, it can give a new one.
    """

    def __init__(
        self,
        reason: str,
        *,
        code: str = "refused",
        retryable: bool = False,
        retry_after_s: float | None = None,
        is_gone: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.is_gone = is_gone
