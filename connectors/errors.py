"""What can go wrong at a platform's edge, sorted by what the caller can do.

ConnectorError
├── WebhookRejected   inbound: answer ``status``, store nothing
└── SendError         outbound: its fields say what to do next
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
    ``unreachable``: this contact cannot be written to any more.
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
