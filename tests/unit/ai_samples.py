"""Questions and requests for the tests of the AI side, with one place to change when the contract grows."""

from typing import Any

from schemas.replies import AIContext, AIMessage, AIQuestion, ContextMessage, PlatformConfig, ReplyRequest

NOW_MS = 1_795_000_000_000
CONVERSATION = "line_shop_U1"


def question(text: str = "hello", *, conversation_id: str = CONVERSATION, history: tuple[str, ...] = ()) -> AIQuestion:
    """One text message behind a history in which user and assistant take turns, the user first."""
    context = tuple(
        ContextMessage(
            role="assistant" if number % 2 else "user", content=content, timestamp=NOW_MS + number, platform="line"
        )
        for number, content in enumerate(history)
    )
    return AIQuestion(
        message=AIMessage(
            platform="line",
            user_id="U1",
            conversation_id=conversation_id,
            message_text=text,
            message_type="text",
            timestamp=NOW_MS,
        ),
        context=AIContext(messages=context, session_start=NOW_MS),
        platform_config=PlatformConfig(max_retries=3, timeout=3.0),
    )


def request(*, deadline_ms: int = NOW_MS + 15_000, turn_id: str = "turn-1", **changes: Any) -> ReplyRequest:
    """A reply request of the sample conversation."""
    return ReplyRequest(
        **{
            "id": turn_id,
            "conversation_id": CONVERSATION,
            "platform": "line",
            "channel": "shop",
            "question": question(),
            "deadline": deadline_ms,
            "received_at": NOW_MS,
            "causation_id": "cause",
            "correlation_id": "first-event",
            **changes,
        }
    )
