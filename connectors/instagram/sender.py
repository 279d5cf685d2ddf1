"""Sends planned calls to the Graph API: the I/O half of Instagram, of either login."""

from connectors.instagram.api import ERROR_MEANINGS
from connectors.shared.meta.sending import GraphSender


class Sender(GraphSender):
    """What was lost on the way back shows up as an echo."""

    meanings = ERROR_MEANINGS
