"""A stage's table as its changelog tells it: per key the record with the highest position, tombstones taken out."""

import time
from collections import defaultdict

from schemas import headers as names
from streams.engine import keys
from tests.harness.topics import read_topic

Table = dict[str, dict[bytes, bytes]]
"""Conversation id → name → value."""


async def read_table(bootstrap: str, changelog: str) -> Table:
    """Every live key of every conversation."""
    newest: dict[bytes, tuple[int, bytes | None]] = {}
    now_ms = time.time() * 1000
    for record in await read_topic(bootstrap, changelog):
        if record.key is None or record.key.startswith(keys.LOCAL):
            continue
        position = int(record.header(names.POSITION) or 0)
        expires_at_ms = int(record.header(names.EXPIRES_AT) or 0)
        value = None if 0 < expires_at_ms <= now_ms else record.value
        if record.key not in newest or position >= newest[record.key][0]:
            newest[record.key] = (position, value)
    table: Table = defaultdict(dict)
    for key, (_, value) in newest.items():
        conversation, name = keys.split_key(key)
        if value is not None:
            table[conversation.decode()][name] = value
    return dict(table)
