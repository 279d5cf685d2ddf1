"""Facebook Messenger. ``PLATFORM`` is the pure half; the I/O half is in ``sender`` and is not imported here."""

from connectors.interface import Platform
from connectors.messenger.platform import Messenger

PLATFORM: Platform = Messenger()
