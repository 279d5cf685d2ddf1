"""README's section of each platform does what it says: its table is taken, and its commands set the platform up.

Behind the table stands the fake, with its own ids and secrets; everything else is README's, the commands word for word.
"""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import platforms
from tests.fakes.__main__ import discovered
from tests.fakes.base import FakePlatform
from tests.harness.channels import configure, iris, iris_text

README = (Path(__file__).parents[2] / "README.md").read_text()
SECTIONS = {
    name: section
    for section in README.split("\n### ")[1:]
    for name in platforms()
    if f'\n   platform = "{name}"' in section
}
TABLE = re.compile(r"```toml\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"\biris (channels \w+ [a-z]+/shop(?: --url \S+)?)\b")
TEMPLATES = re.compile(r"`iris (templates [^`]+)`")


def table_of(section: str, fake: FakePlatform, monkeypatch: pytest.MonkeyPatch) -> str:
    """README's table, on the fake: what README calls a secret is the fake's, and so is every id."""
    (text,) = TABLE.findall(section)
    (table,) = tomllib.loads(text)["channels"]
    real, secrets = fake.channel_table("shop"), fake.environment()
    lines = ["[[channels]]", f'api_base = "{fake.base_url}"']
    for field, value in table.items():
        variables = value if isinstance(value, list) else [value]
        if all(one.startswith("env:") for one in variables):
            for one in variables:
                monkeypatch.setenv(one.removeprefix("env:"), secrets[real[field].removeprefix("env:")])
            lines.append(f"{field} = {_toml(value)}")
        else:
            lines.append(f"{field} = {_toml(real.get(field, value))}")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    return str(value) if isinstance(value, list) else f'"{value}"'


def test_every_platform_has_its_section() -> None:
    assert set(SECTIONS) == set(platforms())


@pytest.mark.parametrize("name", sorted(SECTIONS))
async def test_the_commands_of_a_section_set_the_platform_up(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = discovered()[name]()
    await fake.start()
    try:
        (tmp_path / "iris.toml").write_text(table_of(SECTIONS[name], fake, monkeypatch))
        monkeypatch.setenv("IRIS_CONFIG", str(tmp_path / "iris.toml"))
        commands = COMMAND.findall(SECTIONS[name])
        assert f"channels check {name}/shop" in commands
        for command in commands:
            code, findings, said = await iris(*shlex.split(command))
            assert (code, {one["level"] for one in findings} - {"ok", "click"}) == (0, set()), (command, findings, said)
    finally:
        await fake.stop()


async def test_a_template_is_handed_in_and_looked_at_as_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = discovered()["whatsapp"]()
    await fake.start()
    try:
        configure([fake], tmp_path, monkeypatch)
        create, status = (shlex.split(one) for one in TEMPLATES.findall(README) if "order_update" in one)
        assert (await iris_text(*create))[0] == 0
        assert (await iris_text(*status))[0] == 1, "nobody has approved it yet"
    finally:
        await fake.stop()
