"""README and architecture say what the code says: settings, commands, fields of each platform, and files that exist."""

import re
from pathlib import Path

import pytest
import typer

from connectors.registry import platforms
from streams.app import STAGES
from streams.cli.main import app
from streams.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "deploy/docs/architecture.md").read_text()
PATH = re.compile(r"\b((?:schemas|connectors|streams|tests|deploy)/[\w./-]+\.(?:py|md|toml|xml))\b")
SETTING_NAMES = [f"IRIS_{name.upper()}" for name in Settings.model_fields]
RUNBOOK = ["Seen as", "What it means", "Do", "Was something lost?", "So that it does not come again"]
TABLE_ROW = re.compile(r"^\| `(IRIS_\w+)` \| (–|`.*?`) \| (.+) \|$", re.MULTILINE)


def test_every_setting_stands_in_the_readme_with_its_default_and_no_other_does() -> None:
    told = {name: default.strip("`") for name, default, _ in TABLE_ROW.findall(README)}
    real = {
        f"IRIS_{name.upper()}": "–" if field.default in (None, "") else str(field.default)
        for name, field in Settings.model_fields.items()
    }
    assert told == real


def test_every_command_stands_in_the_readme() -> None:
    group = typer.main.get_group(app)
    for name in group.commands:
        assert f"iris {name}" in README, name


def test_the_stages_that_the_readme_starts_are_all_there_are() -> None:
    assert f"iris worker --stages {','.join(STAGES)}" in README


@pytest.mark.parametrize("name", sorted(platforms()))
def test_the_readme_sets_up_every_platform_with_all_its_fields(name: str) -> None:
    block = next((part for part in README.split("\n### ")[1:] if f'platform = "{name}"' in part), "")
    assert block, f"no section of the README has a table with platform = {name!r}"
    for field in platforms()[name].fields:
        assert f"{field.name} = " in block, field.name
    assert f"/webhooks/{name}/" in block


@pytest.mark.parametrize(("document", "text"), [("README.md", README), ("architecture.md", ARCHITECTURE)])
def test_every_file_that_a_document_names_exists(document: str, text: str) -> None:
    named = set(PATH.findall(text))
    assert named, document
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("runbook", sorted((ROOT / "deploy/runbooks").glob("*.md")), ids=lambda path: path.stem)
def test_every_runbook_has_one_shape_names_real_files_and_settings_and_is_named_in_the_readme(runbook: Path) -> None:
    text = runbook.read_text()
    assert re.findall("^## (.+)", text, re.MULTILINE) == RUNBOOK
    assert [path for path in PATH.findall(text) if not (ROOT / path).exists()] == []
    assert set(re.findall(r"IRIS_[A-Z_]+", text)) <= set(SETTING_NAMES)
    assert f"deploy/runbooks/{runbook.name}" in README


def test_the_quick_start_is_two_commands() -> None:
    start = README.partition("## Quick start")[2].partition("```\n")[2].partition("```")[0]
    assert start.split("\n") == ["make run", "make test", ""]
