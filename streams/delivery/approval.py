"""Which message templates may be sent, as far as it is known. Pure: fed with the records of ``iris.control``.

What nobody knows is left to the platform's own judgement.
"""

from collections.abc import Mapping

from connectors.care import Templates
from connectors.interface import Channel
from schemas.content import TemplateContent
from schemas.control import TEMPLATES, TemplateState, template_key
from schemas.registry import SchemaError, decode_command

REASON = "template_not_approved"
"""``reason`` of the parts that fail for it."""


class Approvals:
    """``keepers`` are the platforms that have templates, by name."""

    def __init__(self, keepers: Mapping[str, Templates]) -> None:
        self.keepers = keepers
        self._states: dict[str, TemplateState] = {}

    def learn(self, key: str, value: bytes | None) -> None:
        """Take in a record of ``iris.control``; those about something else, and unreadable ones, say nothing."""
        if not key.startswith(TEMPLATES):
            return
        self._states.pop(key, None)
        if value is not None:
            try:
                self._states[key] = decode_command(value, TemplateState)
            except SchemaError:
                # Written by another version: nothing is known.
                return

    def state_of(self, channel: Channel, content: TemplateContent) -> TemplateState | None:
        """What is known about the template that this content would be sent with."""
        keeper = self.keepers.get(channel.platform)
        if keeper is None:
            return None
        name, language = keeper.key_of(content)
        return self._states.get(template_key(channel.platform, keeper.account_of(channel), language, name))

    def refusal(self, channel: Channel, content: TemplateContent) -> str:
        """Why it must not be sent; empty when it may, or when nobody knows."""
        state = self.state_of(channel, content)
        if state is None or state.is_approved is not False:
            return ""
        why = f" ({state.reason})" if state.reason else ""
        return f"template {state.name} in {state.language} is {state.status}{why}: only approved templates are sent"
