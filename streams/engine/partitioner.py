"""The one partitioner: murmur2 over the key, as Java's and aiokafka's default, so that any producer agrees."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """Partition number of a key."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
