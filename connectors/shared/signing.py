"""Proofs of origin: HMAC-SHA256 over the raw body, and equality of shared values. Pure; constant time; never raises.

A channel may have several secrets at once while one is replaced by the next: each function says which ones fit.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache

BLOCK_BYTES = 64
"""Of SHA-256."""

_INNER = bytes(octet ^ 0x36 for octet in range(256))
_OUTER = bytes(octet ^ 0x5C for octet in range(256))


def hmac_hex(secret: str, body: bytes) -> str:
    """Lower-case hex HMAC-SHA256 of the body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def hmac_base64(secret: str, body: bytes) -> str:
    """Base64 HMAC-SHA256 of the body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def verified_hex(secrets: Iterable[str], body: bytes, signature: str) -> str | None:
    """The secret whose hex HMAC-SHA256 of ``body`` is ``signature`` (either case), or None."""
    try:
        given = binascii.unhexlify(signature)
    except ValueError:
        return None
    return _verified(secrets, body, given)


def verified_base64(secrets: Iterable[str], body: bytes, signature: str) -> str | None:
    """The secret whose base64 HMAC-SHA256 of ``body`` is ``signature``, or None."""
    try:
        given = binascii.a2b_base64(signature, strict_mode=True)
    except ValueError:
        return None
    # The last character has bits that no byte uses: of the texts that decode alike, only the one that is sent is taken.
    is_canonical = binascii.b2a_base64(given, newline=False).decode() == signature
    return _verified(secrets, body, given) if is_canonical else None


def is_equal(given: str, expected: str) -> bool:
    """Constant-time equality of texts; an empty expectation equals nothing."""
    # Bytes, because compare_digest raises TypeError on non-ASCII text, and header text may hold anything.
    return bool(expected) and hmac.compare_digest(_bytes(given), _bytes(expected))


def equal_to(expected: Iterable[str], given: str) -> str | None:
    """The one of several expected values that equals ``given``, or None; looks at all of them either way."""
    found = [value for value in expected if is_equal(given, value)]
    return found[0] if found else None


def _verified(secrets: Iterable[str], body: bytes, given: bytes) -> str | None:
    found = None
    for secret in secrets:
        # An empty secret would be one that everybody knows. The others are tried also when one fits.
        if secret and hmac.compare_digest(_hmac(secret, body), given):
            found = found or secret
    return found


def _hmac(secret: str, body: bytes) -> bytes:
    """HMAC-SHA256 with what is the same for every body kept ("HMAC", RFC 2104, section 4): half of a proof's time."""
    of_inner, of_outer = _keyed(secret)
    inner, outer = of_inner.copy(), of_outer.copy()
    inner.update(body)
    outer.update(inner.digest())
    return outer.digest()


@lru_cache(maxsize=1_024)
def _keyed(secret: str) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """The inner and the outer hash after their first block, which is made of the key alone."""
    key = secret.encode()
    block = (hashlib.sha256(key).digest() if len(key) > BLOCK_BYTES else key).ljust(BLOCK_BYTES, b"\0")
    return hashlib.sha256(block.translate(_INNER)), hashlib.sha256(block.translate(_OUTER))


def _bytes(text: str) -> bytes:
    # Header text may hold lone surrogates where bytes were not UTF-8.
    return text.encode("utf-8", "surrogatepass")
