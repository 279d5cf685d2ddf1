"""Every message that the README shows is one that ``iris render`` takes, on every platform."""

import json
import re
from pathlib import Path

import pytest

from connectors.registry import platforms
from schemas.export import exported
from streams.cli.render import render

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCK = re.compile(r"<!-- messages: .*? -->\n```json\n(.*?)```", re.DOTALL)


def shown() -> list[str]:
    (block,) = BLOCK.findall(README)
    return [line for line in block.splitlines() if line]


@pytest.mark.parametrize("name", sorted(platforms()))
@pytest.mark.parametrize("line", shown())
def test_each_message_of_the_readme_is_rendered_by_every_platform(line: str, name: str) -> None:
    calls, _ = render(name, line.encode(), channel_id="main")
    assert calls
    assert all(call["url"].startswith("https://") for call in calls)


def test_every_kind_of_content_stands_in_the_readme() -> None:
    kinds = set(re.findall(r'"const": "(\w+)"', json.dumps(exported()["outbound_message.1.json"])))
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in README and f'"{kind}"' not in README] == []
