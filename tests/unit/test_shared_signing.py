"""Proofs of origin: only the right secret over the exact bytes, and never an exception."""

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.shared import signing

BODY = b'{"text":"\\u0e2a\\u0e27\\u0e31\\u0e2a\\u0e14\\u0e35"}'


def test_known_vectors_of_rfc_4231() -> None:
    """Test case 2 of "Identifiers and Test Vectors for HMAC-SHA-256"."""
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signing.hmac_hex("Jefe", b"what do ya want for nothing?") == digest
    assert (
        signing.hmac_base64("Jefe", b"what do ya want for nothing?") == "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
    )


@given(secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200), body=st.binary(max_size=300))
def test_a_kept_key_proves_what_the_standard_library_signs(secret: str, body: bytes) -> None:
    """Keys shorter and longer than a block, the second time from memory."""
    for said in (body, body + b"x"):
        signed = hmac.new(secret.encode(), said, "sha256").digest()
        assert signing.verified_hex([secret], said, signed.hex()) == secret
        assert signing.verified_base64([secret], said, base64.b64encode(signed).decode()) == secret
        assert signing.verified_hex([secret + "x"], said, signed.hex()) is None


def test_while_a_secret_is_rotated_both_are_valid() -> None:
    secrets = ("new", "old")
    for secret in secrets:
        assert signing.verified_hex(secrets, BODY, signing.hmac_hex(secret, BODY)) == secret
        assert signing.verified_base64(secrets, BODY, signing.hmac_base64(secret, BODY)) == secret


@pytest.mark.parametrize("verified", [signing.verified_hex, signing.verified_base64])
@pytest.mark.parametrize("signature", ["", "x", "===", "é", "\udcff", "00" * 32, "A" * 44, "\x00", " " * 64])
def test_a_wrong_signature_is_refused_without_an_exception(verified: object, signature: str) -> None:
    assert callable(verified)
    assert verified(["secret"], BODY, signature) is None


def test_other_bytes_of_the_same_json_are_refused() -> None:
    signature = signing.hmac_hex("secret", BODY)
    assert signing.verified_hex(["secret"], BODY.replace(b":", b": "), signature) is None


def test_an_empty_secret_verifies_nothing() -> None:
    assert signing.verified_hex([""], BODY, signing.hmac_hex("", BODY)) is None
    assert signing.verified_base64([], BODY, signing.hmac_base64("", BODY)) is None
    assert not signing.is_equal("", "")


@pytest.mark.parametrize(("given", "expected"), [("ä", "ä"), ("\udcff", "\udcff"), ("token", "token")])
def test_equality_takes_any_text(given: str, expected: str) -> None:
    assert signing.is_equal(given, expected)
    assert not signing.is_equal(given, expected + "x")
    assert signing.equal_to(("other", expected), given) == expected
    assert signing.equal_to(("other",), given) is None
