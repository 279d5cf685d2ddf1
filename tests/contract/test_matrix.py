"""The README's table of platforms and kinds, its inbound half; ``python -m tests.matrix`` makes the table.

The outbound half is ``test_outbound_accepted``.
"""

import pytest

from tests.contract.matrix_cells import MATRIX, columns, events_of, is_seen, reason_of, rows
from tests.matrix import current, passed, table

IN = [(platform, row) for row in rows("in") for platform in columns()]


@pytest.mark.parametrize(("platform", "row"), [each for each in IN if reason_of(*each) is None])
def test_comes_in(platform: str, row: str) -> None:
    assert is_seen(platform, row), "no payload becomes this: add one, or the reason to tests/corpora/matrix.json"


@pytest.mark.parametrize(("platform", "row"), [each for each in IN if reason_of(*each) is not None])
def test_what_has_a_reason_to_be_absent_does_not_come_in(platform: str, row: str) -> None:
    assert not is_seen(platform, row), "it is there: drop the reason from tests/corpora/matrix.json"


def test_the_readmes_table_is_what_the_tests_say() -> None:
    assert current() == table(passed()), "run `python -m tests.matrix --write`"


@pytest.mark.parametrize("platform", columns())
def test_every_type_of_event_of_a_platform_has_a_row(platform: str) -> None:
    types = {kind for row in MATRIX["in"] for kind in (row["type"] if isinstance(row["type"], list) else [row["type"]])}
    assert {event.type for event in events_of(platform)} <= types | {"input_ignored"}
