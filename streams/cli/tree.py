"""Everything in one process tree, as `iris serve` runs it.

    serve ─┬─ broker (JVM), when none is named            logs: <data_dir>/kafka
           ├─ intake, one process per stage                logs: <data_dir>/logs
           ├─ embedded AI service, when IRIS_AI_URL is unset (inside this process)
           └─ demo: simulated platforms and their people

Reads settings and channels; writes nothing but log files and, for the demo, a temporary iris.toml. What starts in one
order stops in the other, and whatever happens nobody is left behind.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from streams.app import STAGES, build_topics
from streams.broker import Broker
from streams.channels import Channels, load_channels
from streams.cli.log_reader import LogReader
from streams.cli.parts import intake_spec, stage_spec
from streams.cli.supervise import Patience, Supervisor
from streams.cli.tally import Tally
from streams.settings import Settings, SettingsError

STOP = Patience(stop_s=8.0)
"""With the broker's own end after it, everything is gone within 15 s of a Ctrl-C."""


@dataclass(slots=True)
class Tree:
    """A running installation. ``tally`` counts what the log says from the start on, and ``reader`` feeds it."""

    broker: Broker
    channels: Channels
    supervisor: Supervisor
    reader: LogReader
    tally: Tally

    async def guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` to its end; raises, and cancels it, when a part that cannot be repaired ends first."""
        task = asyncio.ensure_future(work)
        guards = [
            asyncio.ensure_future(part) for part in (self.supervisor.watch(), self.broker.watch(), self.reader.watch())
        ]
        try:
            done, _ = await asyncio.wait({task, *guards}, return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                ended.result()
        finally:
            for each in (task, *guards):
                each.cancel()
            await asyncio.gather(task, *guards, return_exceptions=True)


@asynccontextmanager
async def running(settings: Settings, broker: Broker, *, say: Callable[[str], None]) -> AsyncIterator[Tree]:
    """Intake and every stage as children, the AI service beside them; all ready. Raises StartFailed, SettingsError."""
    channels = load_channels(settings.config)
    async with AsyncExitStack() as stack:
        environment = {
            "IRIS_KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
            "IRIS_CONFIG": str(settings.config),
            "IRIS_PORT": str(settings.port),
            "IRIS_ADMIN_PORT": str(settings.admin_port),
            "IRIS_AI_URL": settings.ai_url or await _embedded_ai(stack),
        }
        tally = Tally()
        reader = LogReader(build_topics(settings).events, tally, settings)
        stack.push_async_callback(reader.stop)
        await reader.start()
        supervisor = _supervisor(settings, environment, say)
        stack.push_async_callback(supervisor.stop)
        began = time.monotonic()
        await supervisor.start()
        say(f"intake and {len(STAGES)} stages are ready after {time.monotonic() - began:.1f} s")
        yield Tree(broker, channels, supervisor, reader, tally)


def webhook_base(settings: Settings) -> str:
    """Where the platforms' webhooks point, as seen from this machine."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared, not bound
    return f"http://{host}:{settings.port}/webhooks"


def settings_with_ports(settings: Settings, say: Callable[[str], None], *, is_any_port_fine: bool = False) -> Settings:
    """The same settings with real ports in place of 0.

    A port that is taken is replaced where any will do; else SettingsError names it, before anything is started.
    """
    wanted = {"port": (settings.host, settings.port), "admin_port": (settings.admin_host, settings.admin_port)}
    ports = {}
    for name, (host, port) in wanted.items():
        if port and _is_free(host, port):
            continue
        if port and not is_any_port_fine:
            raise SettingsError(
                f"{host}:{port} cannot be opened: another process listens there, or the address is not this machine's; "
                f"set IRIS_{name.upper()} to a free port"
            )
        ports[name] = _free_port(host)
        if port:
            say(f"port {port} is in use, so {ports[name]} is taken instead")
    return settings.model_copy(update=ports)


def _free_port(host: str) -> int:
    try:
        with socket.create_server((host, 0)) as listener:
            port: int = listener.getsockname()[1]
    except OSError as error:
        raise SettingsError(f"nothing can listen on {host}: {error.strerror}; correct IRIS_HOST") from error
    return port


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _supervisor(settings: Settings, environment: dict[str, str], say: Callable[[str], None]) -> Supervisor:
    logs = settings.data_dir / "logs"
    specs = [intake_spec(environment, log=logs / "intake.log")]
    specs += [stage_spec(name, environment, log=logs / f"{name}.log") for name in STAGES]
    return Supervisor(specs, say=say, patience=STOP)


async def _embedded_ai(stack: AsyncExitStack) -> str:
    from streams.ai.embedded import serve

    runner = await serve("127.0.0.1", 0)
    stack.push_async_callback(runner.cleanup)
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"
