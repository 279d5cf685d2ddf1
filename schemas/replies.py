"""``iris.ai.requests`` and the body of the AI service's ``POST /process``."""

from typing import Any, Literal

from pydantic import ConfigDict, Field, JsonValue

from schemas.base import Model, Timestamp

ResponseType = Literal["text", "rich", "interactive"]


class AIMessage(Model):
    """The newest message of the turn; earlier ones of the same turn stand in the context."""

    platform: str
    user_id: str
    conversation_id: str
    message_text: str
    message_type: str
    media_url: str | None = None
    timestamp: Timestamp
    metadata: dict[str, Any] = Field(default_factory=dict)


class ContextMessage(Model):
    role: Literal["user", "assistant"]
    content: str
    timestamp: Timestamp
    platform: str
    confidence: float | None = None


class AIContext(Model):
    """The last 50 messages of both sides, oldest first, with what is known about the person."""

    messages: tuple[ContextMessage, ...] = ()
    user_preferences: dict[str, JsonValue] = Field(default_factory=dict)
    session_start: Timestamp | None = None


class PlatformConfig(Model):
    """``timeout`` in seconds for one call."""

    max_retries: int
    timeout: float
    capabilities: dict[str, JsonValue] = Field(default_factory=dict)


class AIQuestion(Model):
    """The body of ``POST {ai_url}/process``."""

    message: AIMessage
    context: AIContext
    platform_config: PlatformConfig


class AIAnswer(Model):
    """The answer of ``POST {ai_url}/process``; unknown fields are ignored because the service is not ours."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    response_text: str = ""
    response_type: ResponseType = "text"
    flex_content: dict[str, JsonValue] | None = None
    keyboard: Any = None
    confidence: float | None = None
    user_insights: dict[str, JsonValue] = Field(default_factory=dict)


class ReplyRequest(Model):
    """One turn to be answered. ``id`` is the turn's id; ``deadline`` bounds all attempts together."""

    id: str
    conversation_id: str
    platform: str
    channel: str
    question: AIQuestion
    deadline: Timestamp
    received_at: Timestamp
    causation_id: str
    correlation_id: str
