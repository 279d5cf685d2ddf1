"""What people write, as events' data, without validating it again. Pure.

Nearly every webhook tells of one message, and validating its data would take as long as all else that is read of it.
So every argument must be what its type says; texts as a JSON or XML parser gives them, without lone surrogates.
"""

from typing import Any

from connectors.shared.envelope import unchecked
from schemas.content import Content, TextContent
from schemas.events import MessageReceived

_text_content, _message_received = unchecked(TextContent), unchecked(MessageReceived)


def plain_text(text: str) -> TextContent:
    """Text without entities."""
    return _text_content({"kind": "text", "text": text, "entities": ()})


def message_received(
    content: Content,
    *,
    message_id: str,
    sender_id: str,
    recipient_id: str,
    reply_to: str | None = None,
    reply_token: str | None = None,
    is_forwarded: bool = False,
    metadata: dict[str, Any],
) -> MessageReceived:
    """A message of a person; ``metadata`` becomes its own."""
    return _message_received(
        {
            "message_id": message_id,
            "sender_id": sender_id,
            "recipient_id": recipient_id,
            "content": content,
            "reply_to": reply_to,
            "reply_token": reply_token,
            "is_forwarded": is_forwarded,
            "metadata": metadata,
        }
    )
