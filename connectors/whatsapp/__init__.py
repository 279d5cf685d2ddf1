"""WhatsApp Business Cloud. ``PLATFORM`` is the pure half; the I/O half is in ``sender`` and is not imported here."""

from connectors.interface import Platform
from connectors.whatsapp.platform import WhatsApp

PLATFORM: Platform = WhatsApp()
