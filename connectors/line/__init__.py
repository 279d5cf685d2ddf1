"""LINE Official Accounts through the Messaging API. Importing this loads the pure half only."""

from connectors.interface import Platform
from connectors.line.platform import Line

PLATFORM: Platform = Line()
