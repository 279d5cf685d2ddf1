"""Sends planned calls to the Graph API: the I/O half of Messenger."""

from connectors.messenger.api import ERROR_MEANINGS
from connectors.shared.meta.sending import GraphSender


class Sender(GraphSender):
    """What was lost on the way back shows up as an echo that carries the part's id."""

    meanings = ERROR_MEANINGS
