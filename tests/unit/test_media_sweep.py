"""Old media is forgotten: by one process, at its start and daily, a bounded number at a time, and nothing else is."""

import asyncio
import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.media_store import MediaStore
from streams.media_sweep import BETWEEN_S, DAY_S, LOOK_S, SOON_S, MediaSweep, media_days
from streams.settings import Settings

NOW_S = 1_790_000_000.0
DAYS = 30
OLD_S, YOUNG_S = NOW_S - DAYS * DAY_S - 1, NOW_S - DAYS * DAY_S + 1


class Stand:
    """A folder with media of chosen ages, and a sweep whose time is stepped by its own sleeping."""

    def __init__(self, root: Path, *, files_max: int = 1_000, until_s: float = 0.0) -> None:
        self.root = root
        self.now_s = NOW_S
        self.until_s = NOW_S + until_s
        self.holds = True
        self.watch: Callable[[], None] = lambda: None
        self.store = MediaStore(str(root))
        self.sweep = MediaSweep(
            self.store,
            days=DAYS,
            holds=lambda: self.holds,
            clock=lambda: self.now_s,
            sleep=self._sleep,
            files_max=files_max,
        )

    async def _sleep(self, seconds: float) -> None:
        assert seconds == LOOK_S
        self.watch()
        self.now_s += seconds
        if self.now_s > self.until_s:
            raise asyncio.CancelledError

    async def run(self) -> None:
        with pytest.raises(asyncio.CancelledError):
            await self.sweep.run()

    def touch(self, name: str, at_s: float) -> Path:
        """A media of this name, whatever is in it."""
        path = self.root / name[:2] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (at_s, at_s))
        return path

    async def put(self, text: str, at_s: float) -> Path:
        digest = hashlib.sha256(text.encode()).hexdigest()
        await self.store.put(text.encode(), digest)
        path = self.root / digest[:2] / digest
        os.utime(path, (at_s, at_s))
        return path

    def left(self) -> int:
        return sum(path.is_file() for path in self.root.rglob("*"))


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path / "media")


async def test_what_is_old_goes_at_the_start_and_what_is_young_stays(stand: Stand) -> None:
    old, young = await stand.put("old", OLD_S), await stand.put("young", YOUNG_S)
    await stand.run()
    assert (old.exists(), young.exists()) == (False, True)


async def test_a_media_that_is_put_again_is_young_again(stand: Stand) -> None:
    path = await stand.put("old", OLD_S)
    await stand.store.put(b"old", path.name)
    await stand.run()
    assert path.exists()


async def test_it_is_looked_again_after_a_day(tmp_path: Path) -> None:
    stand = Stand(tmp_path, until_s=BETWEEN_S + LOOK_S)
    path = await stand.put("young", YOUNG_S)
    gone_s: list[float] = []
    stand.watch = lambda: None if path.exists() else gone_s.append(stand.now_s - NOW_S)
    await stand.run()
    assert gone_s[0] == BETWEEN_S


async def test_a_process_that_does_not_hold_partition_0_deletes_nothing_until_it_does(tmp_path: Path) -> None:
    stand = Stand(tmp_path, until_s=10 * LOOK_S)
    path = await stand.put("old", OLD_S)
    stand.holds = False
    seen: list[tuple[float, bool]] = []

    def watch() -> None:
        seen.append((stand.now_s - NOW_S, path.exists()))
        stand.holds = len(seen) >= 5

    stand.watch = watch
    await stand.run()
    assert [exists for _, exists in seen] == [True] * 5 + [False] * 6


@pytest.mark.parametrize("groups", ["ab", "ab cd ef"])
async def test_a_sweep_is_bounded_and_the_next_one_goes_on_soon(tmp_path: Path, groups: str) -> None:
    """However its files lie among the groups."""
    stand = Stand(tmp_path, files_max=10, until_s=3 * SOON_S)
    names = [f"{group}{number:062x}" for number in range(25) for group in groups.split()][:25]
    for name in names:
        stand.touch(name, OLD_S)
    left: dict[int, float] = {}

    def watch() -> None:
        left.setdefault(stand.left(), stand.now_s - NOW_S)

    stand.watch = watch
    await stand.run()
    assert left == {15: 0, 5: SOON_S, 0: 2 * SOON_S}


async def test_what_a_crash_left_half_written_goes_and_what_is_not_ours_stays(stand: Stand) -> None:
    media = await stand.put("young", YOUNG_S)
    half = media.with_name(f"{media.name}.{uuid.uuid4().hex}.part")
    others = [media.with_name("notes.txt"), stand.root / ("a" * 64), stand.root / "README"]
    for path in (half, *others):
        path.write_bytes(b"x")
        os.utime(path, (OLD_S, OLD_S))
    await stand.run()
    assert not half.exists()
    assert all(path.exists() for path in (media, *others))


async def test_another_storage_is_swept_as_well() -> None:
    """Its own clock tells when something was put, so that the sweep's is moved."""
    root = f"memory://sweep-{uuid.uuid4().hex}/media"
    store = MediaStore(root)
    url = await store.put(b"old", hashlib.sha256(b"old").hexdigest())
    put_at_s = store._put_at_s(url.removeprefix("memory://"))
    outcomes = []
    for now_s in (put_at_s + DAYS * DAY_S - 1, put_at_s + DAYS * DAY_S + 1):
        sweep = MediaSweep(store, days=DAYS, holds=lambda: True, clock=lambda now_s=now_s: now_s)  # type: ignore[misc]
        assert await sweep.sweep()
        outcomes.append(store._files.exists(url))
    assert outcomes == [True, False]


async def test_a_storage_that_fails_is_swept_later_and_the_rest_of_it_all_the_same(
    stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(type(stand.store._files)):  # type: ignore[misc]
        def rm_file(self, path: str) -> None:
            if path == str(bad):
                raise PermissionError(path)
            super().rm_file(path)

    (bad, *others) = sorted([await stand.put(str(number), OLD_S) for number in range(5)])
    stand.store._files = Broken()
    await stand.run()
    assert "old media is not deleted this time" in caplog.text
    stand.until_s = stand.now_s = stand.now_s + SOON_S
    await stand.run()
    assert (bad.exists(), [path for path in others if path.exists()]) == (True, [])


async def test_a_storage_without_times_ends_it_with_a_warning(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    class Timeless(type(stand.store._files)):  # type: ignore[misc]
        def modified(self, path: str) -> None:
            raise NotImplementedError

    await stand.put("old", OLD_S)
    stand.store._files = Timeless()
    await stand.sweep.run()
    assert "let its own rules do it" in caplog.text


@pytest.mark.parametrize(
    ("given", "days"),
    [
        ({}, 365),
        ({"log_retention_days": -1}, 0),
        ({"log_retention_days": 90}, 90),
        ({"media_days": 7}, 7),
        ({"media_days": 0}, 0),
        ({"media_days": 7, "log_retention_days": -1}, 7),
    ],
)
def test_media_is_kept_as_long_as_the_log_unless_its_own_time_is_set(given: dict[str, int], days: int) -> None:
    assert media_days(Settings.model_validate(given)) == days
