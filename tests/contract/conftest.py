"""What every contract test may ask for."""

import pytest

from tests.harness.platform import Clock
from tests.harness.shelf import Shelf


@pytest.fixture
def clock() -> Clock:
    """Of the fake and of what talks to it; see ``tests.harness.platform``."""
    return Clock()


@pytest.fixture
def shelf() -> Shelf:
    """Where uploads find their media."""
    return Shelf()
