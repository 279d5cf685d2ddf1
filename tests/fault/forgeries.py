"""Requests that only look like a platform's: proofs left out, made up, changed in a character, or of another body.

Made from what a fake signs; nothing here knows a platform. Where the proof says nothing about the body (Telegram's
secret header), only the proof itself is forged: another body under a known secret is no forgery.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.fakes.base import FakePlatform
from tests.fault.raw_http import wire

SIGNED_IN_QUERY = ("msg_signature", "timestamp", "nonce", "signature")
"""Parts of a query that a signature is made of, the one that counts first (WeChat, "Message encryption")."""
ALPHABET = "0123456789abcdefABCDEFghijXYZ+/=-_ é\xff"


@dataclass
class Request:
    """What will be sent; ``headers`` and ``query`` hold the proof."""

    headers: dict[str, str]
    query: dict[str, str]
    body: bytes

    def proofs(self) -> list[tuple[dict[str, str], str]]:
        """Where each piece of the proof stands; a change of any one of them must be noticed."""
        headers = [(self.headers, name) for name in self.headers if not name.lower().startswith("content-")]
        covered = SIGNED_IN_QUERY[:3] if "msg_signature" in self.query else SIGNED_IN_QUERY[1:]
        return headers + [(self.query, name) for name in covered if name in self.query]


def genuine(fake: FakePlatform, chances: random.Random) -> Request:
    """A message as the platform sends it."""
    body = fake.body([fake.user_message(f"user{chances.randrange(50)}", f"forged {chances.random()}")])
    return Request(dict(fake.headers(body)), dict(fake.query(body)), body)


def covers_body(fake: FakePlatform) -> bool:
    """Whether the proof of one body is another than that of the next."""
    return fake.headers(b"<x/>") != fake.headers(b"<y/>") or bool(fake.query(b"<x/>"))


def missing(request: Request, chances: random.Random) -> None:
    for holder, name in request.proofs():
        del holder[name]


def empty(request: Request, chances: random.Random) -> None:
    holder, name = chances.choice(request.proofs())
    holder[name] = ""


def made_up(request: Request, chances: random.Random) -> None:
    holder, name = chances.choice(request.proofs())
    prefix = "sha256=" if holder[name].startswith("sha256=") else ""
    holder[name] = prefix + "".join(chances.choices(ALPHABET, k=len(holder[name]) - len(prefix)))


def one_character(request: Request, chances: random.Random) -> None:
    """Another character, not only in the other case, which hexadecimal takes for the same."""
    holder, name = chances.choice(request.proofs())
    value = holder[name]
    place = chances.randrange(len(value))
    other = chances.choice([each for each in ALPHABET.strip() if each.lower() != value[place].lower()])
    holder[name] = value[:place] + other + value[place + 1 :]


def cut_or_longer(request: Request, chances: random.Random) -> None:
    holder, name = chances.choice(request.proofs())
    value = holder[name]
    holder[name] = chances.choice(
        [value[:-1], value[1:], value + "0", "0" + value, value * 2, value[: len(value) // 2]]
    )


Forge = Callable[[Request, random.Random], None]
OF_THE_PROOF: tuple[Forge, ...] = (missing, empty, made_up, one_character, cut_or_longer)


def forged(fake: FakePlatform, path: str, chances: random.Random) -> Iterator[bytes]:
    """Forgeries without end; each stands on a genuine request of its own."""
    kinds = len(OF_THE_PROOF) + covers_body(fake)
    while True:
        request = genuine(fake, chances)
        kind = chances.randrange(kinds)
        if kind < len(OF_THE_PROOF):
            OF_THE_PROOF[kind](request, chances)
        else:
            # A good proof, but of another message.
            other = genuine(fake, chances)
            request = Request(other.headers, other.query, request.body)
        yield wire(path, request.body, request.headers, request.query)
