"""What the tables of an installation have written: bytes on their changelogs, and the state of a conversation."""

from collections.abc import Iterable

from streams.app import STAGES_WITH_TABLE, build_topics
from streams.engine import keys
from streams.settings import Settings
from tests.harness.topics import Stored, read_topic


def size(record: Stored) -> int:
    """Key, value and headers of one record, as the broker stores them before compression."""
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


async def written_since(
    bootstrap: str, settings: Settings, since_ms: float, stages: Iterable[str] = STAGES_WITH_TABLE
) -> dict[str, int]:
    """Bytes that each stage has written to its changelog since then."""
    names = {stage: build_topics(settings).changelog(stage) for stage in stages}
    return {
        stage: sum(size(record) for record in await read_topic(bootstrap, name) if record.timestamp_ms >= since_ms)
        for stage, name in names.items()
    }


async def state_bytes(bootstrap: str, settings: Settings) -> int:
    """Mean size of what the fold keeps of a conversation, without the ids of copies to come (which expire alone)."""
    newest: dict[bytes, Stored] = {}
    for record in await read_topic(bootstrap, build_topics(settings).changelog("converse")):
        if record.key is not None and not record.key.startswith(keys.LOCAL):
            newest[record.key] = record
    kept = [record for record in newest.values() if record.value]
    conversations = {keys.split_key(record.key or b"")[0] for record in kept}
    return sum(len(record.value or b"") for record in kept) // max(1, len(conversations))
