"""Where the log lives: finds a Kafka broker to talk to, and starts one on this machine when none is named.

Start with ``choose_broker``; ``EmbeddedBroker`` is the local cluster, ``BrokerError`` the root of what can go wrong.
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
]
