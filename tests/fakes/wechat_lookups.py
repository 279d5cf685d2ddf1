"""What WeChat answers about media and followers: 获取临时素材 (media get), 获取用户基本信息 (user info).

HTTP says 200 to everything; a film is JSON with a link, and so is every error.
"""

from collections.abc import Mapping

from tests.fakes.media import Shelf
from tests.fakes.wechat_rules import Refused, Tokens
from tests.fakes.wire import Answer, Request

MEDIA_PATH = "/cgi-bin/media/get"
USER_PATH = "/cgi-bin/user/info"
OPEN_PATH = "/mmbiz/"
"""Where pictures and films lie open to anybody who has the link."""


def look_up(request: Request, shelf: Shelf, tokens: Tokens, people: Mapping[str, str], *, base: str) -> Answer | None:
    """``people``: OpenID to name, of followers; None where this is no such request."""
    if request.path.startswith(OPEN_PATH):
        media = shelf.behind(request.path.removeprefix(OPEN_PATH))
        return Answer(200, media.data, {"Content-Type": media.mime_type}) if media else Answer(404)
    if request.path not in (MEDIA_PATH, USER_PATH):
        return None
    try:
        tokens.check(request.query.get("access_token"))
        if request.path == USER_PATH:
            return _user(request.query.get("openid", ""), people)
        media_id = request.query.get("media_id", "")
        media = shelf.items.get(media_id)
        if media is None:
            raise Refused(40007)
    except Refused as refused:
        return Answer(200, refused.body)
    if media.mime_type.startswith("video/"):
        return Answer(200, {"video_url": f"{base}{OPEN_PATH}{shelf.link(media_id)}"})
    return Answer(200, media.data, {"Content-Type": media.mime_type})


def _user(openid: str, people: Mapping[str, str]) -> Answer:
    if openid not in people:
        return Answer(200, {"subscribe": 0, "openid": openid})
    about = {"subscribe": 1, "openid": openid, "nickname": "", "sex": 0, "language": "zh_CN", "city": "", "remark": ""}
    return Answer(200, {**about, "subscribe_time": 1_700_000_000, "tagid_list": [], "subscribe_scene": "ADD_SCENE_QR"})
