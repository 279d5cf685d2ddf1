"""Telegram bots: webhook with a shared secret, Bot API for sending. Importing this gives the pure half only."""

from connectors.telegram.platform import Telegram

PLATFORM = Telegram()
