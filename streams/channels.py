"""The channels of ``iris.toml``: read once at start, checked against what each platform asks for.

    [[channels]]
    id = "shop"
    platform = "line"
    channel_secret = "env:LINE_SECRET"
    access_token = ["file:/run/secrets/new", "env:LINE_TOKEN"]

A secret is ``env:NAME`` or ``file:PATH``, or a list of them. ``api_base`` overrides the platform's address; a
``policy`` table is handed on.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.interface import Channel, Platform
from connectors.registry import UnknownPlatform, platform_named
from connectors.shared.http import REDACTED
from schemas.ids import CHANNEL_ID
from streams.settings import SettingsError

COMMON_KEYS = {"id", "platform", "api_base", "policy"}


class Channels:
    """All configured channels, by platform and id."""

    def __init__(self, channels: tuple[Channel, ...]) -> None:
        self.all = channels
        self._by_id = {(channel.platform, channel.id): channel for channel in channels}
        self.platforms = tuple(sorted({channel.platform for channel in channels}))
        """Those with a channel. Stages read the topics of no others: each partition that is assigned costs something in
        every fetch, whether anything is in it or not."""

    def get(self, platform: str, channel: str) -> Channel | None:
        """One channel, or None."""
        return self._by_id.get((platform, channel))

    def of(self, platform: str) -> tuple[Channel, ...]:
        """Every channel of a platform."""
        return tuple(channel for channel in self.all if channel.platform == platform)


def without_secrets(text: str, channel: Channel) -> str:
    """The text without the channel's credentials, whatever a platform's own words quote; ids stay readable."""
    for field in platform_named(channel.platform).fields:
        for value in channel.all(field.name) if field.is_secret else ():
            text = text.replace(value, REDACTED) if value else text
    return text


def load_channels(path: Path) -> Channels:
    """Read and check the file; a missing file means no channels. Raises SettingsError."""
    if not path.exists():
        return Channels(())
    try:
        document = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    tables = document.get("channels", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SettingsError(f"{path}: write each channel as a [[channels]] table")
    channels = tuple(_channel(table, where=f"{path}: channel {number}") for number, table in enumerate(tables, 1))
    seen: set[tuple[str, str]] = set()
    for channel in channels:
        if (channel.platform, channel.id) in seen:
            raise SettingsError(
                f"{path}: two {channel.platform} channels have the id {channel.id!r}; give each its own"
            )
        seen.add((channel.platform, channel.id))
    return Channels(channels)


def _channel(table: Mapping[str, Any], *, where: str) -> Channel:
    identity = table.get("id")
    if not isinstance(identity, str) or not CHANNEL_ID.fullmatch(identity):
        raise SettingsError(f"{where}: id {identity!r} must be text that matches [a-z0-9-]{{1,40}}")
    try:
        platform = platform_named(str(table.get("platform")))
    except UnknownPlatform as error:
        raise SettingsError(f"{where} ({identity}): {error}") from error
    where = f"{where} ({identity})"
    known = {field.name for field in platform.fields}
    unknown = sorted(set(table) - COMMON_KEYS - known)
    if unknown:
        raise SettingsError(f"{where}: unknown key {unknown[0]!r}; {platform.name} takes: {', '.join(sorted(known))}")
    return Channel(
        id=identity,
        platform=platform.name,
        values=_values(table, platform, where=where),
        api_base=table.get("api_base"),
        policy=table.get("policy", {}),
    )


def _values(table: Mapping[str, Any], platform: Platform, *, where: str) -> dict[str, tuple[str, ...]]:
    values: dict[str, tuple[str, ...]] = {}
    for field in platform.fields:
        given = table.get(field.name)
        if given is None:
            if field.is_required:
                example = f'"env:{platform.name.upper()}_{field.name.upper()}"' if field.is_secret else '"…"'
                raise SettingsError(f"{where}: {field.name} is missing ({field.help}); add {field.name} = {example}")
            continue
        items = given if isinstance(given, list) else [given]
        resolve = _secret if field.is_secret else _plain
        values[field.name] = tuple(resolve(item, where=f"{where}: {field.name}") for item in items)
    return values


def _plain(value: Any, *, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise SettingsError(f"{where}: {value!r} must be text")
    return str(value)


def _secret(value: Any, *, where: str) -> str:
    source, _, name = str(value).partition(":")
    if source == "env":
        found = os.environ.get(name, "")
        if not found:
            raise SettingsError(f"{where}: the environment variable {name} is not set; set it or name another")
        return found
    if source == "file":
        try:
            return Path(name).read_text().strip()
        except OSError as error:
            raise SettingsError(
                f"{where}: cannot read {name}: {error.strerror}; fix the path or its permissions"
            ) from error
    raise SettingsError(f"{where}: secrets are not written into the file; use env:NAME or file:PATH")
