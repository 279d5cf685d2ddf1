"""Incremental fetch sessions (KIP-227): a consumer tells the broker only what changed since its last fetch.

It hears only of partitions that have something new. What a fetch costs then grows with the records, not with the
partitions.
"""

from collections.abc import Iterable
from typing import Any

from aiokafka.protocol.fetch import FetchRequest, FetchRequestStruct

NO_SESSION = 0
FULL_EPOCH = 0
"""A request that names everything, and asks for a new session; one that it names at the same time is closed."""
EPOCH_MAX = 2**31 - 1
FIRST_VERSION = 7
"""Of the request, with sessions."""

Place = tuple[str, int]
Wanted = dict[Place, tuple[int, ...]]
"""By topic and partition: what a request says of it, which begins with the partition."""


class FetchSession:
    """What one broker remembers of our fetches. Requests to it come one after the other.

    ``ask`` shortens a request, ``hear`` takes the answer's word for the next one; after an error, or no answer,
    ``forget``: the next request is complete again.
    """

    def __init__(self) -> None:
        self._id = NO_SESSION
        self._epoch = FULL_EPOCH
        self._known: Wanted = {}

    def ask(self, request: Any) -> None:
        """Leave out of a complete request what the broker knows."""
        wanted: Wanted = {(topic, item[0]): item for topic, items in request.topics for item in items}
        if self._epoch != FULL_EPOCH:
            known = self._known
            request.topics = _by_topic((place[0], item) for place, item in wanted.items() if known.get(place) != item)
            # Where nothing is changed a broker goes on where it was, so what is wanted no more must be named.
            request.forgotten_topics_data = _by_topic(known.keys() - wanted.keys())
        request.session_id, request.session_epoch = self._id, self._epoch
        self._known = wanted

    def hear(self, session: int) -> None:
        """Take over the session that the broker answers under. It may have none for us, or know ours no more: then it
        answers under none, and the next request is complete and asks for a new one."""
        self._id = session
        self._epoch = FULL_EPOCH if session == NO_SESSION else self._epoch % EPOCH_MAX + 1

    def forget(self) -> None:
        """Nobody knows what the broker has read of our last request."""
        self._epoch = FULL_EPOCH


def _by_topic(items: Iterable[tuple[str, Any]]) -> list[tuple[str, list[Any]]]:
    topics: dict[str, list[Any]] = {}
    for topic, item in items:
        topics.setdefault(topic, []).append(item)
    return list(topics.items())


class IncrementalRequest(FetchRequest):  # type: ignore[misc] # aiokafka ships no types
    """aiokafka's request, written down as the session has it."""

    def __init__(self, request: FetchRequest, session: FetchSession) -> None:
        self.__dict__.update(request.__dict__)
        self._session = session

    def build(self, request_struct_class: type[FetchRequestStruct]) -> Any:
        built = super().build(request_struct_class)
        if built.API_VERSION >= FIRST_VERSION:
            self._session.ask(built)
        return built
