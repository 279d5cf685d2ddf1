"""The wire of a chat-completions server ("Chat Completions API"), which many servers and gateways speak. Pure.

Writes a question as ``{"model", "messages"}``; reads the first choice's text. Such a server knows no cards, buttons,
confidence or insights, so its answers are plain text.
"""

from typing import Any

import orjson

from connectors.shared.splitting import member
from schemas.replies import AIAnswer, AIQuestion, ContextMessage
from streams.ai.errors import AIBroken
from streams.ai.guard import read_answer, read_json
from streams.settings import Settings

SUFFIX = "/chat/completions"


def is_chat_completions(url: str) -> bool:
    """Whether the address names a chat-completions endpoint, usually ``…/v1/chat/completions``."""
    return url.rstrip("/").endswith(SUFFIX)


class ChatCompletions:
    """``url`` is posted to as it is; model and system message come from the settings."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.url = url.rstrip("/")
        self._settings = settings

    def write(self, question: bytes) -> bytes:
        asked = AIQuestion.model_validate_json(question)
        messages = [{"role": "system", "content": self._system(asked)}, *_dialogue(asked)]
        return orjson.dumps({"model": self._settings.ai_model, "messages": messages})

    def read(self, body: bytes) -> AIAnswer:
        choices = read_json(body).get("choices")
        content = member(choices[0] if isinstance(choices, list) and choices else None, "message", "content")
        if isinstance(content, list):
            content = "".join(part["text"] for part in content if isinstance(member(part, "text"), str))
        if not isinstance(content, str | None):
            raise AIBroken("wrong_type", "choices[0].message.content is neither a text nor a list of parts")
        return read_answer({"response_text": content}, chars_max=self._settings.ai_answer_chars_max)

    def _system(self, asked: AIQuestion) -> str:
        if not asked.context.user_preferences:
            return self._settings.ai_prompt
        known = orjson.dumps(asked.context.user_preferences).decode()
        return f"{self._settings.ai_prompt}\nWhat is known about this person: {known}"


def _dialogue(asked: AIQuestion) -> list[dict[str, Any]]:
    """Context and message. Roles alternate and a user begins, because strict servers refuse anything else."""
    messages: list[dict[str, Any]] = []
    said = [*asked.context.messages, _newest(asked)]
    for message in said:
        if messages and messages[-1]["role"] == message.role:
            messages[-1]["content"] += "\n" + message.content
        elif messages or message.role == "user":
            messages.append({"role": message.role, "content": message.content})
    return messages


def _newest(asked: AIQuestion) -> ContextMessage:
    message = asked.message
    content = message.message_text or f"[{message.message_type}{f' {message.media_url}' if message.media_url else ''}]"
    return ContextMessage(role="user", content=content, timestamp=message.timestamp, platform=message.platform)
