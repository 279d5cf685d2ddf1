"""The AI service that answers when no other is configured: rules in Thai and English, no state, no waiting.

Reads the contract's ``POST /process`` over HTTP and answers it; ``GET /healthz`` says that it is up. The same question
always gets the same answer. Only ``message`` is needed, so that a person can try it with curl.
"""

import orjson
from aiohttp import web

from connectors.shared.splitting import member, text_member
from schemas.registry import encode
from streams.ai.dialogue import Question, answer

BODY_BYTES_MAX = 4 * 1024 * 1024
"""A larger question gets 413; 50 messages of 2,000 Thai characters are 300 KB."""


class BadQuestionError(ValueError):
    """The body is no question; the text says what is missing."""


def create_app() -> web.Application:
    """The service as an application, to be run wherever one is wanted."""
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.router.add_post("/process", _process)
    app.router.add_get("/healthz", _healthz)
    return app


async def serve(host: str, port: int) -> web.AppRunner:
    """Listen, on a free port for 0: ``runner.addresses`` tells which. ``await runner.cleanup()`` ends it."""
    runner = web.AppRunner(create_app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


def read_question(body: bytes) -> Question:
    """What the rules need of a question, tolerant of everything else; raises BadQuestionError."""
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadQuestionError(f"the body is not JSON: {error.msg}") from None
    if not isinstance(member(asked, "message"), dict):
        raise BadQuestionError('the body has no "message" object')
    history = member(asked, "context", "messages")
    said = [
        (text_member(message, "role") or "", text_member(message, "content") or "")
        for message in (history if isinstance(history, list) else ())
    ]
    return Question(
        text=text_member(asked, "message", "message_text") or "",
        data=text_member(asked, "message", "metadata", "data") or "",
        language=text_member(asked, "context", "user_preferences", "language") or "",
        history=tuple(said),
    )


async def _healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _process(request: web.Request) -> web.Response:
    try:
        question = read_question(await request.read())
    except BadQuestionError as error:
        return web.json_response({"error": str(error)}, status=400)
    return web.Response(body=encode(answer(question)), content_type="application/json")
