"""What can go wrong with the AI service, sorted by what the caller can do.

AIError
├── AIUnavailable   no answer: not reached, cut off, or the service says that it is ill; ask again later
├── AITimeout       no whole answer in time; ask again while the turn lasts
├── AIRefused       the service does not want this question, or not now
└── AIBroken        an answer came and cannot be used; the next one may be better
"""


class AIError(Exception):
    """One call brought no answer. ``reason`` is a stable word for books and metrics, the text is for people.

    ``retryable``: the same question may be asked again, not before ``retry_after_s`` where that is given. ``attempts``
    is how many calls the turn has made when it was given up. The text never holds what people wrote, nor a secret.
    """

    def __init__(
        self, reason: str, detail: str = "", *, retryable: bool = True, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.attempts = 0


class AIUnavailable(AIError):
    """Reasons: ``unreachable``, ``dns``, ``tls``, ``reset``, ``server_error``, ``unavailable``."""


class AITimeout(AIError):
    """Reasons: ``timeout`` (one call), ``deadline`` (the turn)."""


class AIRefused(AIError):
    """Reasons: ``rate_limited``, ``unauthorized``, ``refused``."""


class AIBroken(AIError):
    """Reasons: ``bad_json``, ``bad_utf8``, ``bad_http``, ``wrong_type``, ``too_large``, ``encoded``, ``empty``."""
