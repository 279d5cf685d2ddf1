"""WeChat's proofs: SHA-1 over sorted values, and AES messages ("Message encryption and decryption", 消息加解密). Pure.

The proof of a plain POST covers no byte of the body; only the encrypted form proves what was said. The timestamp is not
judged, because the pure half has no clock: a repeated body repeats its event's id and has no second effect.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from connectors.shared import signing

KEY_LENGTH = 43
"""Characters of an EncodingAESKey: base64 of 32 bytes without its last ``=``."""
BLOCK_BYTES = 32
"""PKCS#7 pads to 32 here, not to the 16 of AES."""
RANDOM_BYTES = 16
LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Letter:
    """What was inside an encrypted message, and for whom."""

    text: bytes
    app_id: str


def signature(*values: str) -> str:
    """SHA-1 in hex of the values, sorted bytewise and joined."""
    # Header and query text may hold lone surrogates where bytes were not UTF-8.
    parts = sorted(value.encode("utf-8", "surrogatepass") for value in values)
    return hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()


def verified(tokens: Iterable[str], query: Mapping[str, str], *, name: str, encrypted: str | None = None) -> str | None:
    """The token that makes the query's value ``name`` right, or None; an empty token proves nothing."""
    values = [query.get("timestamp", ""), query.get("nonce", ""), *([] if encrypted is None else [encrypted])]
    given = query.get(name, "").lower()
    found = [token for token in tokens if token and signing.is_equal(given, signature(token, *values))]
    return found[0] if found else None


def decrypted(encrypted: str, encoding_aes_key: str) -> Letter | None:
    """The message inside, or None when this key does not open it. Check ``app_id``: the key does not prove it."""
    try:
        key = base64.b64decode(f"{encoding_aes_key}=".encode(), validate=True)
        sealed = base64.b64decode("".join(encrypted.split()).encode(), validate=True)
    except ValueError:
        return None
    if len(encoding_aes_key) != KEY_LENGTH or not sealed or len(sealed) % (algorithms.AES.block_size // 8):
        return None
    opener = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    return _opened(opener.update(sealed) + opener.finalize())


def _opened(padded: bytes) -> Letter | None:
    pad = padded[-1]
    if not 1 <= pad <= BLOCK_BYTES or padded[-pad:] != bytes([pad]) * pad:
        return None
    plain = padded[RANDOM_BYTES:-pad]
    size = int.from_bytes(plain[:LENGTH_BYTES], "big")
    text, app_id = plain[LENGTH_BYTES : LENGTH_BYTES + size], plain[LENGTH_BYTES + size :]
    if len(text) != size:
        return None
    return Letter(text, app_id.decode("utf-8", "replace"))
