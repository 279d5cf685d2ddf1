"""Discovers the platforms: every sub-package of ``connectors`` that offers ``PLATFORM``.

The pure and the I/O half are loaded apart, so that replay can import the first without being able to send. What is
optional (media and profiles, care of channels, templates) is there when the folder has the module. Folders named in
``IRIS_CONNECTORS_PATH`` (separated like ``PATH``) are searched too.
"""

import importlib
import importlib.util
import os
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

import connectors
from connectors.care import Care, Templates
from connectors.interface import Fetcher, Platform, Sender

NOT_PLATFORMS = {"shared"}


class UnknownPlatform(LookupError):
    """No connector of that name was found."""


@cache
def platforms() -> dict[str, Platform]:
    """Every platform's pure half by name, in alphabetical order; raises ImportError when one is broken."""
    for folder in filter(None, os.environ.get("IRIS_CONNECTORS_PATH", "").split(os.pathsep)):
        if folder not in connectors.__path__:
            connectors.__path__.append(folder)
    found: dict[str, Platform] = {}
    for module in sorted(pkgutil.iter_modules(connectors.__path__), key=lambda item: item.name):
        if module.ispkg and module.name not in NOT_PLATFORMS:
            platform: Platform = importlib.import_module(f"connectors.{module.name}").PLATFORM
            found[platform.name] = platform
    return found


def platform_named(name: str) -> Platform:
    """The pure half of one platform; raises UnknownPlatform, which lists those there are."""
    try:
        return platforms()[name]
    except KeyError:
        raise UnknownPlatform(f"no platform {name!r}; there are: {', '.join(platforms())}") from None


def sender_class(name: str) -> Callable[[], Sender]:
    """The class of a platform's I/O half; raises UnknownPlatform."""
    sender: Callable[[], Sender] = importlib.import_module(f"{_package(name)}.sender").Sender
    return sender


def fetcher_class(name: str) -> Callable[[], Fetcher] | None:
    """The class that fetches a platform's media and profiles, None where it has none; raises UnknownPlatform."""
    fetcher: Callable[[], Fetcher] | None = _optional(name, "fetcher", "Fetcher")
    return fetcher


def care_class(name: str) -> Callable[[], Care] | None:
    """The class that cares for a platform's channels, None where it has none; raises UnknownPlatform."""
    care: Callable[[], Care] | None = _optional(name, "care", "Care")
    return care


def templates_class(name: str) -> Callable[[], Templates] | None:
    """The class that keeps a platform's message templates, None where it has none; raises UnknownPlatform."""
    templates: Callable[[], Templates] | None = _optional(name, "templates", "Templates")
    return templates


def _package(name: str) -> str:
    return type(platform_named(name)).__module__.rpartition(".")[0]


def _optional(name: str, module: str, member: str) -> Any:
    full = f"{_package(name)}.{module}"
    # Looked for first, so that an import error inside of the module is not taken for its absence.
    return getattr(importlib.import_module(full), member) if importlib.util.find_spec(full) else None
