"""What a broker runs on: a JVM, Kafka's jars, and a class archive that halves its start.

Reads ``deploy/kafka/pom.xml``; writes ``$XDG_CACHE_HOME/iris-streams`` (default ``~/.cache/iris-streams``), once:

    kafka-4.3.1-<pom>/             the jars, resolved by Maven
    kafka-4.3.1-<pom>/<java>.jsa   classes of a broker that ran a moment, as this JVM maps them into memory

``<pom>`` and ``<java>`` are digests, so that a changed pom or an upgraded JVM makes its own. A file lock lets one
process prepare while others wait; later starts need neither the lock nor Maven.
"""

import fcntl
import hashlib
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from streams.broker.errors import BrokerUnavailable

logger = logging.getLogger(__name__)

KAFKA_VERSION = "4.3.1"
POM = Path(__file__).parents[2] / "deploy" / "kafka" / "pom.xml"
RESOLVE_TIMEOUT_S = 900
"""Maven fetches some 55 MB; on a slow line that takes minutes."""
INSTALL_JAVA = "install Java 17 or later (Debian: apt-get install openjdk-17-jre-headless)"
NAME_A_BROKER = "set IRIS_KAFKA_BOOTSTRAP_SERVERS=host:port"
QUICK_JVM = ("-XX:+UseSerialGC", "-Djava.awt.headless=true", "-XX:+ExitOnOutOfMemoryError")
"""The serial collector starts fastest and holds least; an embedded broker's heap is too small to gain from another."""
LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
)


@dataclass(frozen=True, slots=True)
class Runtime:
    """A JVM and Kafka's jars; ``archive`` is None until one could be made (starts are slower, nothing else)."""

    java: Path
    jars: Path
    archive: Path | None = None

    def command(self, main_class: str, *args: str, heap_mb: int, jvm: tuple[str, ...] = ()) -> list[str]:
        """The command line that runs a class of Kafka's."""
        shared = (
            (f"-XX:SharedArchiveFile={self.archive}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off") if self.archive else ()
        )
        # An archive fits one class path only, to the letter, hence sorted names and no wildcard.
        class_path = os.pathsep.join(str(jar) for jar in sorted(self.jars.glob("*.jar")))
        options = (f"-Xmx{heap_mb}m", *QUICK_JVM, *LOGGING, *shared, *jvm)
        return [str(self.java), *options, "-cp", class_path, main_class, *args]


def find_java() -> Path | None:
    """``$JAVA_HOME/bin/java``, else ``java`` on PATH, else None."""
    home = os.environ.get("JAVA_HOME")
    if home and os.access(Path(home, "bin", "java"), os.X_OK):
        return Path(home, "bin", "java")
    found = shutil.which("java")
    return Path(found) if found else None


def cached_runtime() -> Runtime | None:
    """What an earlier process prepared for this pom and this JVM; None when some of it is missing."""
    java = find_java()
    if java is None or not POM.exists():
        return None
    jars = _jars_dir()
    runtime = Runtime(java, jars)
    return with_archive(runtime) if archive_path(runtime).exists() else None


@contextmanager
def prepared_jars() -> Iterator[Runtime]:
    """Jars resolved and the preparation lock held, so that the caller can make what else is missing.

    Blocks while another process prepares, and as long as Maven takes. Raises BrokerUnavailable.
    """
    java = find_java()
    if java is None:
        raise BrokerUnavailable(
            f"the embedded broker needs Java, and none is on PATH: {INSTALL_JAVA} or {NAME_A_BROKER}"
        )
    if not POM.exists():
        raise BrokerUnavailable(f"{POM} is missing: run from a checkout of the repository, or {NAME_A_BROKER}")
    jars = _jars_dir()
    jars.parent.mkdir(parents=True, exist_ok=True)
    with (jars.parent / "prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.exists():
            _resolve(jars)
        yield Runtime(java, jars)


def archive_path(runtime: Runtime) -> Path:
    """Where the class archive of this JVM belongs; an empty file there says that none can be made."""
    binary = runtime.java.resolve()
    identity = f"{binary} {binary.stat().st_mtime_ns} {' '.join(QUICK_JVM)}"
    return runtime.jars / (hashlib.sha256(identity.encode()).hexdigest()[:12] + ".jsa")


def with_archive(runtime: Runtime) -> Runtime:
    """The same with its archive, where there is a usable one."""
    archive = archive_path(runtime)
    is_usable = archive.exists() and archive.stat().st_size > 0
    return replace(runtime, archive=archive) if is_usable else runtime


def _jars_dir() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:8]
    return cache / "iris-streams" / f"kafka-{KAFKA_VERSION}-{digest}"


def _resolve(jars: Path) -> None:
    """Maven fills a directory beside the final one, whose name appears only when all is there."""
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerUnavailable(
            "Kafka's jars are not in the cache yet and Maven, which resolves them, is not on PATH: "
            f"install Maven (Debian: apt-get install maven) or {NAME_A_BROKER}"
        )
    logger.info("resolving the jars of Kafka %s into %s, once", KAFKA_VERSION, jars)
    with tempfile.TemporaryDirectory(prefix="resolving-", dir=jars.parent) as scratch:
        target = Path(scratch, "jars")
        command = [maven, "-B", "-q", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={target}"]
        try:
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=RESOLVE_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise BrokerUnavailable(
                f"Maven did not finish within {RESOLVE_TIMEOUT_S} s: {' '.join(command)}"
            ) from error
        if done.returncode != 0:
            output = done.stdout.decode(errors="replace").strip()[-2_000:]
            raise BrokerUnavailable(f"Maven could not resolve the jars of Kafka ({' '.join(command)}):\n{output}")
        target.rename(jars)
