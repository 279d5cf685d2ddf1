"""The process tree: everybody starts, what ends comes back, nobody is left behind.

The children are small Python programs that speak the same language as ours: ``ready`` on a pipe, SIGTERM to end.
"""

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streams.cli import child as child_module
from streams.cli.child import LogSink, Spec, StartFailed
from streams.cli.supervise import Patience, Supervisor
from tests.harness.eventually import eventually

QUICK = Patience(ready_s=10, stop_s=5, intake_s=2, backoff_s=0.01, backoff_s_max=0.1)
READY = "import os, signal, sys, time; os.write(int(os.environ['IRIS_READY_FD']), b'ready\\n')\n"
WAIT = READY + "signal.sigwait({signal.SIGTERM})"


def spec(name: str, code: str, folder: Path, *, stops_first: bool = False) -> Spec:
    # Only SIGTERM that is blocked can be waited for, and it may come as soon as the child has said that it is ready.
    block = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
    argv = (sys.executable, "-S", "-c", block + textwrap.dedent(code))
    return Spec(name, argv, {"FOLDER": str(folder)}, folder / f"{name}.log", stops_first)


@asynccontextmanager
async def running(*specs: Spec, patience: Patience = QUICK, said: list[str] | None = None) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(specs, say=(said if said is not None else []).append, patience=patience)
    try:
        await supervisor.start()
        yield supervisor
    finally:
        await supervisor.stop()


def is_running(pid: int) -> bool:
    """A process that ended and was not waited for yet (its parent was killed) does not run."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_start_returns_when_all_are_ready_and_stop_leaves_nobody(tmp_path: Path) -> None:
    async with running(spec("a", WAIT, tmp_path), spec("b", WAIT, tmp_path)) as supervisor:
        pids = supervisor.pids
        assert set(pids) == {"a", "b"}
    for pid in pids.values():
        assert not is_running(pid)


async def test_a_child_that_ends_before_it_is_ready_fails_the_start_with_its_last_words(tmp_path: Path) -> None:
    broken = spec("b", "import sys; print('no such setting'); sys.exit(78)", tmp_path)
    with pytest.raises(StartFailed, match=r"(?s)b ended with exit code 78.*no such setting.*b\.log") as failure:
        async with running(spec("a", WAIT, tmp_path), broken):
            pass
    assert failure.value.exit_code == 78


async def test_a_failed_start_stops_those_that_had_started(tmp_path: Path) -> None:
    tell = "open(os.environ['FOLDER'] + '/pid', 'w').write(str(os.getpid()))\n"
    late = (
        "import os, sys, time\nwhile not os.path.exists(os.environ['FOLDER'] + '/pid'): time.sleep(0.01)\nsys.exit(1)"
    )
    specs = [spec("a", READY + tell + WAIT, tmp_path), spec("b", late, tmp_path)]
    supervisor = Supervisor(specs, say=lambda _: None, patience=QUICK)
    with pytest.raises(StartFailed):
        await supervisor.start()
    assert not is_running(int((tmp_path / "pid").read_text()))


async def test_a_child_that_stays_silent_fails_the_start(tmp_path: Path) -> None:
    silent = spec("mute", "import signal; signal.sigwait({signal.SIGTERM})", tmp_path)
    with pytest.raises(StartFailed, match="mute was not ready within 0 s"):
        async with running(silent, patience=Patience(ready_s=0.2, stop_s=5)):
            pass


async def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    async with running(spec("a", WAIT, tmp_path), spec("b", WAIT, tmp_path), said=said) as supervisor:
        before = supervisor.pids
        os.kill(before["a"], signal.SIGKILL)

        def works_again() -> None:
            assert "a works again" in said

        await eventually(works_again)
        after = supervisor.pids
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]
    assert any("a ended with exit code -9" in line for line in said)


async def test_restarts_wait_longer_each_time_up_to_the_limit(tmp_path: Path) -> None:
    once = (
        READY
        + "p = os.environ['FOLDER'] + '/again'\nif os.path.exists(p): sys.exit(1)\nopen(p, 'w').close(); sys.exit(1)"
    )
    said: list[str] = []
    patience = Patience(backoff_s=0.1, backoff_s_max=0.2, stop_s=5)
    async with running(spec("a", once, tmp_path), patience=patience, said=said):

        def four_waits() -> None:
            assert sum("starts again in" in line for line in said) >= 4

        await eventually(four_waits)
    waits = [line.rpartition(" in ")[2] for line in said if "starts again in" in line]
    assert waits[:4] == ["0.1 s", "0.2 s", "0.2 s", "0.2 s"]


async def test_an_exit_that_would_only_repeat_itself_ends_the_watch(tmp_path: Path) -> None:
    code = READY + "print('half of the last records failed', flush=True); sys.exit(65)"
    async with running(spec("a", code, tmp_path), spec("b", WAIT, tmp_path)) as supervisor:
        with pytest.raises(StartFailed, match=r"(?s)a ended with exit code 65.*half of the last records"):
            await asyncio.wait_for(supervisor.watch(), 10)


async def test_what_takes_work_in_has_ended_before_the_others_are_told(tmp_path: Path) -> None:
    intake = (
        READY + "signal.sigwait({signal.SIGTERM}); time.sleep(0.3); open(os.environ['FOLDER'] + '/ended', 'w').close()"
    )
    stage = (
        READY + "signal.sigwait({signal.SIGTERM}); open(os.environ['FOLDER'] + '/order', 'w')"
        ".write(str(os.path.exists(os.environ['FOLDER'] + '/ended')))"
    )
    async with running(spec("stage", stage, tmp_path), spec("intake", intake, tmp_path, stops_first=True)):
        pass
    assert (tmp_path / "order").read_text() == "True"


async def test_a_child_that_ignores_sigterm_is_killed_when_patience_ends(tmp_path: Path) -> None:
    said: list[str] = []
    stubborn = spec("a", READY + "while True: time.sleep(1)", tmp_path)
    began = asyncio.get_running_loop().time()
    async with running(stubborn, patience=Patience(stop_s=0.3, intake_s=0.1), said=said) as supervisor:
        pid = supervisor.pids["a"]
    assert asyncio.get_running_loop().time() - began < 5
    assert not is_running(pid)
    assert "a did not end in time and is killed" in said


async def test_nobody_outlives_a_killed_parent(tmp_path: Path) -> None:
    child = "from streams.cli.process import die_with_parent; die_with_parent()\n" + WAIT
    parent = f"""
        import asyncio, sys
        from streams.cli.child import Spec
        from streams.cli.supervise import Supervisor
        async def main():
            supervisor = Supervisor([Spec("a", (sys.executable, "-c", {child!r}), {{}})], say=lambda line: None)
            await supervisor.start()
            print(supervisor.pids["a"], flush=True)
            await supervisor.watch()
        asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(parent), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    pid = int(await process.stdout.readline())
    process.kill()
    await process.wait()

    def child_is_gone() -> None:
        assert not is_running(pid)

    await eventually(child_is_gone)


def test_a_full_log_file_makes_room_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "LOG_BYTES_MAX", 100)
    sink = LogSink(spec("a", "", tmp_path))
    for number in range(30):
        sink.write(b"line %02d of the log\n" % number)
    kept = (tmp_path / "a.log.1").read_text() + (tmp_path / "a.log").read_text()
    assert kept.endswith("line 29 of the log\n")
    assert len(kept) < 300
    assert sink.tail[-1] == "line 29 of the log"
