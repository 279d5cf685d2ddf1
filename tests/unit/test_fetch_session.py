"""What an incremental fetch says: all at first, then what changed, and all again after anything unexpected."""

from typing import Any

import pytest
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v6, FetchRequest_v11

from streams.engine.fetch_session import EPOCH_MAX, FetchSession, IncrementalRequest

ITEMS_MAX = 1_000


def ask(session: FetchSession, **offsets: int) -> dict[str, Any]:
    """What a request for these partitions says: ``t0=5`` is partition 0 of topic t, from offset 5."""
    topics: dict[str, list[tuple[int, int, int]]] = {}
    for place, offset in offsets.items():
        topics.setdefault(place[0], []).append((int(place[1:]), offset, ITEMS_MAX))
    built = IncrementalRequest(FetchRequest(100, 1, 50, 0, list(topics.items())), session).build(FetchRequest_v11)
    assert built.encode(), "it can be written down"
    return {
        "session": (built.session_id, built.session_epoch),
        "asked": {f"{topic}{item[0]}": item[2] for topic, items in built.topics for item in items},
        "left": {f"{topic}{partition}" for topic, items in built.forgotten_topics_data for partition in items},
    }


@pytest.fixture
def session() -> FetchSession:
    """Session 9, after a complete request for t0, t1 and u0, all from offset 5."""
    session = FetchSession()
    assert ask(session, t0=5, t1=5, u0=5) == {"session": (0, 0), "asked": {"t0": 5, "t1": 5, "u0": 5}, "left": set()}
    session.hear(9)
    return session


def test_nothing_changed_and_nothing_is_said(session: FetchSession) -> None:
    assert ask(session, t0=5, t1=5, u0=5) == {"session": (9, 1), "asked": {}, "left": set()}
    session.hear(9)
    assert ask(session, t0=5, t1=5, u0=5) == {"session": (9, 2), "asked": {}, "left": set()}


def test_only_a_new_position_is_said(session: FetchSession) -> None:
    assert ask(session, t0=5, t1=8, u0=5)["asked"] == {"t1": 8}
    session.hear(9)
    assert ask(session, t0=5, t1=8, u0=2)["asked"] == {"u0": 2}


def test_a_partition_that_is_not_wanted_now_is_named_and_named_again_when_it_is(session: FetchSession) -> None:
    assert ask(session, t0=5) == {"session": (9, 1), "asked": {}, "left": {"t1", "u0"}}
    session.hear(9)
    assert ask(session, t0=5, t1=5) == {"session": (9, 2), "asked": {"t1": 5}, "left": set()}


def test_without_an_answer_all_is_said_again_and_the_old_session_closed(session: FetchSession) -> None:
    ask(session, t0=6, t1=5, u0=5)
    session.forget()
    assert ask(session, t0=6, t1=5) == {"session": (9, 0), "asked": {"t0": 6, "t1": 5}, "left": set()}


def test_a_broker_that_knows_the_session_no_more_is_told_all_again(session: FetchSession) -> None:
    ask(session, t0=6, t1=5, u0=5)
    session.hear(0)
    assert ask(session, t0=6, t1=5) == {"session": (0, 0), "asked": {"t0": 6, "t1": 5}, "left": set()}


def test_a_broker_that_has_no_session_for_us_is_told_all_each_time() -> None:
    session = FetchSession()
    for _ in range(3):
        assert ask(session, t0=5, t1=5) == {"session": (0, 0), "asked": {"t0": 5, "t1": 5}, "left": set()}
        session.hear(0)


def test_epochs_begin_again_at_one(session: FetchSession) -> None:
    session._epoch = EPOCH_MAX
    assert ask(session, t0=5, t1=5, u0=5)["session"] == (9, EPOCH_MAX)
    session.hear(9)
    assert ask(session, t0=5, t1=5, u0=5)["session"] == (9, 1)


def test_an_old_version_has_no_sessions() -> None:
    session = FetchSession()
    for _ in range(2):
        request = IncrementalRequest(FetchRequest(100, 1, 50, 0, [("t", [(0, 5, ITEMS_MAX)])]), session)
        assert [topic for topic, _ in request.build(FetchRequest_v6).topics] == ["t"]
