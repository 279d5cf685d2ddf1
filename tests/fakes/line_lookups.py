"""What LINE answers about media and people: content with its transcoding states, and profiles.

"Messaging API reference": Get content, Verify the preparation status of a video or audio for getting, Get profile.
"""

import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.media import Shelf
from tests.fakes.wire import Answer, Request

CONTENT = re.compile(r"/v2/bot/message/(\d+)/content(/transcoding)?")
PROFILE = re.compile(r"/v2/bot/(?:profile|(?:group|room)/[CR][0-9a-f]{32}/member)/(U[0-9a-f]{32})")


def look_up(request: Request, shelf: Shelf, people: Mapping[str, dict[str, Any]], *, token: str) -> Answer | None:
    """``people``: user id to profile; None where this is no such request."""
    content, profile = CONTENT.fullmatch(request.path), PROFILE.fullmatch(request.path)
    if request.method != "GET" or not (content or profile):
        return None
    if request.headers.get("authorization") != f"Bearer {token}":
        return Answer(401, {"message": "Authentication failed."})
    if profile:
        person = people.get(profile.group(1))
        return Answer(200, person) if person else Answer(404, {"message": "Not found"})
    return _content(content.group(1), is_question=bool(content.group(2)), shelf=shelf) if content else None


def _content(id: str, *, is_question: bool, shelf: Shelf) -> Answer:
    media = shelf.items.get(id)
    if media is None:
        return Answer(404, {"message": "Not found"})
    if is_question:
        status = "failed" if media.is_broken else "processing" if media.ready_in > 0 else "succeeded"
        return Answer(200, {"status": status})
    if media.is_broken or media.ready_in > 0:
        media.ready_in -= 1
        return Answer(202)
    return Answer(200, media.data, {"Content-Type": media.mime_type})
