"""Gets media and profiles of Instagram; see ``connectors.shared.meta.profiles``."""

from connectors.instagram.api import ERROR_MEANINGS, FACEBOOK_BASE, GRAPH_VERSION, INSTAGRAM_BASE
from connectors.interface import Channel
from connectors.shared.meta.profiles import GraphFetcher, ProfileApi

FACTS = {
    "name": "name",
    "username": "username",
    "picture_url": "profile_pic",
    "followers": "follower_count",
    "follows_us": "is_user_follow_business",
    "is_followed_by_us": "is_business_follow_user",
    "is_verified": "is_verified_user",
}


class Fetcher(GraphFetcher):
    """People by Instagram-scoped id, once they have written; through the page where the channel names one."""

    def __init__(self) -> None:
        super().__init__(ProfileApi(FACTS, token="access_token", base=_base, meanings=ERROR_MEANINGS))  # noqa: S106 - a name


def _base(channel: Channel) -> str:
    base = channel.api_base or (FACEBOOK_BASE if channel.first("page_id") else INSTAGRAM_BASE)
    return f"{base.rstrip('/')}/{channel.first('graph_version') or GRAPH_VERSION}"
