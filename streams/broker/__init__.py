"""Where the log lives: finds a Kafka broker to talk to, and starts one on this machine when none is named.

Start with ``choose_broker``, or with ``find_broker`` where none shall be started; ``EmbeddedBroker`` is the local
cluster, ``BrokerError`` the root of what can go wrong.
"""

from streams.broker.choose import Broker, NamedBroker, choose_broker
from streams.broker.embedded import EmbeddedBroker
from streams.broker.errors import (
    BrokerDied,
    BrokerError,
    BrokerStartFailed,
    BrokerUnavailable,
    DataDirInUse,
    PortInUse,
)
from streams.broker.running import find_broker

__all__ = [
    "Broker",
    "BrokerDied",
    "BrokerError",
    "BrokerStartFailed",
    "BrokerUnavailable",
    "DataDirInUse",
    "EmbeddedBroker",
    "NamedBroker",
    "PortInUse",
    "choose_broker",
    "find_broker",
]
