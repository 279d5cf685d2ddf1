"""Media as the platforms keep it: bytes by id, and links to them that die.

A fake has one ``Shelf``; what a link looks like and what a dead one answers is the platform's own.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Media:
    """``ready_in`` more questions are answered with "not yet"; ``is_broken``: it never will be ready."""

    data: bytes
    mime_type: str
    ready_in: int = 0
    is_broken: bool = False

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.data).digest()


@dataclass
class Shelf:
    """``link_life_s`` counts from the moment a link is made."""

    clock: Callable[[], float]
    link_life_s: float
    items: dict[str, Media] = field(default_factory=dict)
    links: dict[str, tuple[str, float]] = field(default_factory=dict)

    def put(self, id: str, data: bytes, mime_type: str, *, ready_in: int = 0) -> Media:
        """Keep it under this id."""
        self.items[id] = Media(data, mime_type, ready_in)
        return self.items[id]

    def link(self, id: str) -> str:
        """The name of a new link to this media."""
        name = f"{id}-{len(self.links) + 1}"
        self.links[name] = (id, self.clock() + self.link_life_s)
        return name

    def behind(self, name: str) -> Media | None:
        """What lies behind a link; None when it is dead or never was."""
        id, dies_at = self.links.get(name, ("", 0.0))
        return self.items.get(id) if self.clock() < dies_at else None

    def kill_links(self) -> None:
        """Every link that was made so far is dead."""
        self.links = {name: (id, 0.0) for name, (id, _) in self.links.items()}
