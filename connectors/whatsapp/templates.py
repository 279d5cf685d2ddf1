"""WhatsApp's message templates: listed, handed in for approval, and what webhooks say about them.

Asks and writes ``/<WABA id>/message_templates``: templates belong to the business account and not to a number. Sources:
WhatsApp Business Platform "Message templates", "Template components", "message_template_status_update" and its kin.
"""

import re
from typing import Any

from connectors.care import Template, TemplateDraft, TemplateRefused
from connectors.errors import SendError
from connectors.interface import Call, Channel
from connectors.shared.asking import Asker, question
from connectors.shared.http import Answer
from connectors.shared.meta.app import graph_url
from connectors.shared.meta.graph import receipt_of
from connectors.shared.meta.templates import BODY_MAX, DEFAULT_LANGUAGE, HEADER_MAX, template_of
from connectors.shared.meta.values import as_dict, as_id, as_list, as_text
from connectors.whatsapp.api import ERROR_MEANINGS
from connectors.whatsapp.care import SURFACE
from connectors.whatsapp.entries import ACCOUNT_FIELD
from schemas.content import TemplateContent
from schemas.events import ChannelUpdated

FIELDS = "name,language,status,category,quality_score,rejected_reason,components"
PAGE_SIZE = 100
PAGES_MAX = 100
"""Ours: an account has at most 6,000 templates ("Message templates: limits"); what is beyond is not looked at."""

NAME = re.compile(r"[a-z0-9_]{1,512}")
PARAMETER = re.compile(r"\{\{(\d+)\}\}")
FOOTER_MAX = 60

APPROVAL = {
    **dict.fromkeys(("approved", "reinstated", "unpaused"), True),
    **dict.fromkeys(("pending", "in_appeal", "rejected", "paused", "disabled", "archived"), False),
    **dict.fromkeys(("pending_deletion", "deleted", "limit_exceeded"), False),
}
"""Whether a template with this status may be sent; ``flagged`` leaves that as it was, and so does any other word."""

NO_REASON = ("", "none")


def get_templates(channel: Channel, *, after: str = "") -> Call:
    """One page of the account's templates."""
    path = f"{channel.first(ACCOUNT_FIELD)}/message_templates?fields={FIELDS}&limit={PAGE_SIZE}"
    url = graph_url(channel, SURFACE, path + (f"&after={after}" if after else ""))
    return question("message_templates", "GET", url)


def create_template(channel: Channel, draft: TemplateDraft) -> Call:
    """Hand a template in."""
    body: dict[str, Any] = {"type": "BODY", "text": draft.body}
    if draft.examples:
        body["example"] = {"body_text": [list(draft.examples)]}
    components: list[dict[str, Any]] = [body]
    if draft.header:
        components.insert(0, {"type": "HEADER", "format": "TEXT", "text": draft.header})
    if draft.footer:
        components.append({"type": "FOOTER", "text": draft.footer})
    content = {"name": draft.name, "language": draft.language, "category": draft.category, "components": components}
    url = graph_url(channel, SURFACE, f"{channel.first(ACCOUNT_FIELD)}/message_templates")
    return question("create template", "POST", url, content)


class Templates:
    """See ``connectors.care.Templates``."""

    default_language = DEFAULT_LANGUAGE
    categories: tuple[str, ...] = ("UTILITY", "MARKETING")
    """Templates for authentication have a form of their own, which is made in WhatsApp Manager."""

    def __init__(self) -> None:
        self._asker = Asker(_judge)

    async def list(self, channel: Channel) -> tuple[Template, ...]:
        """Page by page, in the account's own order."""
        _require_account(channel)
        found: list[Template] = []
        after = ""
        for _ in range(PAGES_MAX):
            answer = await self._asker.ask(get_templates(channel, after=after), channel)
            found += [_template(as_dict(item)) for item in as_list(answer.member("data"))]
            paging = as_dict(answer.member("paging"))
            after = as_id(as_dict(paging.get("cursors")).get("after"))
            # The cursor is there on the last page too; only ``next`` says that something follows.
            if not paging.get("next") or not after:
                break
        return tuple(found)

    async def create(self, channel: Channel, draft: TemplateDraft) -> Template:
        """The rules that can be checked are checked before."""
        _require_account(channel)
        require_valid(draft, categories=self.categories)
        answer = await self._asker.ask(create_template(channel, draft), channel)
        status = (as_text(answer.member("status")) or "pending").lower()
        category = as_text(answer.member("category")) or draft.category
        return Template(draft.name, draft.language, status, APPROVAL.get(status), category=category, body=draft.body)

    async def close(self) -> None:
        """Release connections."""
        await self._asker.close()

    def account_of(self, channel: Channel) -> str:
        """The WhatsApp Business Account."""
        return channel.first(ACCOUNT_FIELD)

    def key_of(self, content: TemplateContent) -> tuple[str, str]:
        """As it is rendered, ``native`` included."""
        template, _ = template_of(content, takes_uploads=True)
        return str(template.get("name")), str(as_dict(template.get("language")).get("code") or DEFAULT_LANGUAGE)

    def news_of(self, update: ChannelUpdated) -> Template | None:
        """Approval, quality and category each say only what has changed."""
        value = update.metadata
        name = as_text(value.get("message_template_name"))
        language = as_text(value.get("message_template_language")) or ""
        if not name:
            return None
        match update.subject:
            case "message_template_status_update":
                status = (as_text(value.get("event")) or "").lower()
                category = as_text(value.get("message_template_category")) or ""
                reason = _reason(value.get("reason"))
                return Template(name, language, status, APPROVAL.get(status), category=category, reason=reason)
            case "message_template_quality_update":
                return Template(name, language, quality=as_text(value.get("new_quality_score")) or "")
            case "template_category_update":
                return Template(name, language, category=as_text(value.get("new_category")) or "")
        return None


def require_valid(draft: TemplateDraft, *, categories: tuple[str, ...]) -> None:
    """Raises TemplateRefused for what WhatsApp would refuse anyway ("Template components")."""
    numbers = [int(number) for number in PARAMETER.findall(draft.body)]
    wanted = list(range(1, max(numbers, default=0) + 1))
    problems = [
        (not NAME.fullmatch(draft.name), f"name {draft.name!r}: write 1 to 512 of a-z, 0-9 and _"),
        (draft.category not in categories, f"category {draft.category!r}: there are {', '.join(categories)}"),
        (
            not 0 < len(draft.body) <= BODY_MAX,
            f"the body has {len(draft.body)} characters: 1 to {BODY_MAX} are allowed",
        ),
        (len(draft.header) > HEADER_MAX, f"the header has {len(draft.header)} characters: at most {HEADER_MAX}"),
        (len(draft.footer) > FOOTER_MAX, f"the footer has {len(draft.footer)} characters: at most {FOOTER_MAX}"),
        (sorted(set(numbers)) != wanted, "the body's parameters: number them {{1}}, {{2}} … without gaps"),
        (
            len(draft.examples) != len(wanted),
            f"{len(draft.examples)} examples for {len(wanted)} parameters: give one each",
        ),
        (
            bool(PARAMETER.match(draft.body.strip()) or re.search(r"\{\{\d+\}\}$", draft.body.strip())),
            "the body begins or ends with a parameter: put words around it",
        ),
    ]
    for is_wrong, why in problems:
        if is_wrong:
            raise TemplateRefused(why)


def _judge(answer: Answer, _call: Call, channel: Channel) -> None:
    receipt_of(answer, channel, ERROR_MEANINGS)


def _require_account(channel: Channel) -> None:
    if not channel.first(ACCOUNT_FIELD):
        reason = (
            f"channel {channel.id}: waba_id is not configured, and templates belong to it; add waba_id to iris.toml"
        )
        raise SendError(reason, channel_wide=True)


def _template(item: dict[str, Any]) -> Template:
    status = (as_text(item.get("status")) or "").lower()
    body = next((part for part in map(as_dict, as_list(item.get("components"))) if part.get("type") == "BODY"), {})
    return Template(
        name=as_text(item.get("name")) or "",
        language=as_text(item.get("language")) or "",
        status=status,
        is_approved=APPROVAL.get(status),
        category=as_text(item.get("category")) or "",
        quality=as_text(as_dict(item.get("quality_score")).get("score")) or "",
        reason=_reason(item.get("rejected_reason")),
        body=as_text(body.get("text")) or "",
    )


def _reason(value: Any) -> str:
    reason = as_text(value) or ""
    return "" if reason.lower() in NO_REASON else reason
