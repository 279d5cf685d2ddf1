"""WeChat Official Accounts, subscription and service accounts. Importing this loads the pure half only."""

from connectors.interface import Platform
from connectors.wechat.platform import WeChat

PLATFORM: Platform = WeChat()
