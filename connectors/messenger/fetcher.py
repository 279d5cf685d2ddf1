"""Gets media and profiles of Messenger; see ``connectors.shared.meta.profiles``."""

from connectors.interface import Channel
from connectors.messenger.api import API_BASE, ERROR_MEANINGS, GRAPH_VERSION
from connectors.shared.meta.profiles import GraphFetcher, ProfileApi

FACTS = {
    "name": "name",
    "first_name": "first_name",
    "last_name": "last_name",
    "picture_url": "profile_pic",
    "locale": "locale",
    "timezone": "timezone",
    "gender": "gender",
}


class Fetcher(GraphFetcher):
    """People by page-scoped id, with the page's token."""

    def __init__(self) -> None:
        super().__init__(ProfileApi(FACTS, token="page_token", base=_base, meanings=ERROR_MEANINGS))  # noqa: S106 - a name


def _base(channel: Channel) -> str:
    return f"{(channel.api_base or API_BASE).rstrip('/')}/{channel.first('graph_version') or GRAPH_VERSION}"
