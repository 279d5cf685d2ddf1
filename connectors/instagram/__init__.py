"""Instagram Direct. ``PLATFORM`` is the pure half; the I/O half is in ``sender`` and is not imported here."""

from connectors.instagram.platform import Instagram
from connectors.interface import Platform

PLATFORM: Platform = Instagram()
