"""Under which identity each partition is written: a broker refuses batches of an epoch before the newest (ADR 0003)."""

from aiokafka.producer.transaction_manager import PidAndEpoch, TransactionManager
from aiokafka.structs import TopicPartition

NO_TIMEOUT_MS = 2**31 - 1


class Identities(TransactionManager):  # type: ignore[misc] # aiokafka ships no types
    """One producer, many identities: the broker's (producer id, epoch) per fenced partition, one common for the rest.

    aiokafka asks for the sequence number of a batch's partition right before it asks for the identity; that call
    tells which partition is meant. ``tests/integration/test_writer.py`` fails when a release changes that.
    """

    def __init__(self) -> None:
        super().__init__(None, NO_TIMEOUT_MS)
        self._fenced: dict[TopicPartition, PidAndEpoch] = {}
        self._current: TopicPartition | None = None

    def adopt(self, partition: TopicPartition, producer_id: int, epoch: int) -> None:
        """From now on this partition is written under the given identity; its sequence starts again at 0."""
        self._fenced[partition] = PidAndEpoch(producer_id, epoch)
        self._sequence_numbers.pop(partition, None)

    def sequence_number(self, tp: TopicPartition) -> int:
        self._current = tp
        return int(super().sequence_number(tp))

    @property
    def producer_id(self) -> int:
        return int(self._identity().pid)

    @property
    def producer_epoch(self) -> int:
        return int(self._identity().epoch)

    def _identity(self) -> PidAndEpoch:
        if self._current is not None and self._current in self._fenced:
            return self._fenced[self._current]
        return self._pid_and_epoch
