"""Who is let in, for every connector that is found: only what its platform proves, with any secret of a rotation.

The fake signs; what it signs is changed here in every way that a forger has.
"""

import dataclasses
import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import WebhookRejected
from connectors.interface import Channel, WebhookRequest
from tests.contract.specimens import outcome, specimens

every_platform = pytest.mark.parametrize("name", specimens())


def proofs_of(request: WebhookRequest) -> list[tuple[str, str]]:
    """(where, name) of everything that proves a request."""
    headers = [("headers", name) for name in request.headers if not name.startswith("content-")]
    return headers + [("query", name) for name in request.query if "signature" in name]


def proof(request: WebhookRequest, where: str, name: str) -> str:
    return str(getattr(request, where)[name])


def with_proof(request: WebhookRequest, where: str, name: str, value: str | None) -> WebhookRequest:
    """The request with another proof, or without one."""
    given = {key: told for key, told in getattr(request, where).items() if key != name}
    changed = given if value is None else given | {name: value}
    return dataclasses.replace(request, **{where: changed})  # type: ignore[arg-type]


@functools.cache
def genuine(name: str) -> WebhookRequest:
    """A message as the fake sends it."""
    specimen = specimens()[name]
    return specimen.request(specimen.fake.body([specimen.fake.user_message("ann", "hello")]))


@every_platform
def test_what_the_platform_proves_is_taken(name: str) -> None:
    specimen = specimens()[name]
    accepted = specimen.accept(genuine(name))
    assert (len(accepted.records), accepted.refused) == (1, 0)


@every_platform
@pytest.mark.parametrize("forged", [None, "", "x", "gehéim", "\udcff", "0" * 40, "sha256=" + "0" * 64, "A" * 43 + "="])
def test_a_forged_proof_is_401_or_403(name: str, forged: str | None) -> None:
    specimen = specimens()[name]
    request = genuine(name)
    refused = 0
    for where, proven in proofs_of(request):
        made = outcome(functools.partial(specimen.accept, with_proof(request, where, proven, forged)))
        # WeChat proves an encrypted body twice; the proof that covers the message is the one that counts.
        assert made in (401, 403) or (name, proven) == ("wechat", "signature"), f"{proven} of {name} proves nothing"
        refused += made in (401, 403)
    assert refused


@every_platform
@settings(max_examples=200)
@given(data=st.data())
def test_a_proof_with_any_character_changed_opens_nothing(name: str, data: st.DataObject) -> None:
    specimen = specimens()[name]
    request = genuine(name)
    where, proven = proofs_of(request)[-1]
    good = proof(request, where, proven)
    place = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.characters(codec="latin-1").filter(lambda each: each.lower() != good[place].lower()))
    with pytest.raises(WebhookRejected) as rejected:
        specimen.accept(with_proof(request, where, proven, good[:place] + other + good[place + 1 :]))
    assert rejected.value.status in (401, 403)


@every_platform
@settings(max_examples=200)
@given(data=st.data())
def test_where_the_proof_covers_the_body_no_changed_byte_changes_what_is_stored(name: str, data: st.DataObject) -> None:
    specimen = specimens()[name]
    request = genuine(name)
    if specimen.fake.headers(b"<x/>") == specimen.fake.headers(b"<y/>") and "msg_signature" not in request.query:
        assert name == "telegram", "its secret header proves who calls, not what is said (Bot API, setWebhook)"
        return
    body = bytearray(request.body)
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    made = outcome(lambda: specimen.accept(dataclasses.replace(request, body=bytes(body))))
    assert made in (401, 403) or made == specimen.accept(request), "what is stored must be what was signed"


@every_platform
def test_every_secret_of_a_rotation_opens_and_an_empty_or_foreign_one_does_not(name: str) -> None:
    specimen = specimens()[name]
    request = genuine(name)
    secrets = {field.name for field in specimen.platform.fields if field.is_secret}

    def rotated(*added: str, keep: bool) -> Channel:
        values = {
            key: (*added, *(given if keep else ())) if key in secrets else given
            for key, given in specimen.channel.values.items()
        }
        return dataclasses.replace(specimen.channel, values=values)

    assert specimen.accept(request, rotated("a-newer-secret", keep=True)).records
    for channel in (rotated("", keep=False), rotated("a-foreign-secret", keep=False), rotated(keep=False)):
        with pytest.raises(WebhookRejected):
            specimen.accept(request, channel)


@every_platform
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", ""])
def test_another_method_is_405(name: str, method: str) -> None:
    specimen = specimens()[name]
    with pytest.raises(WebhookRejected) as rejected:
        specimen.platform.accept(
            dataclasses.replace(genuine(name), method=method), specimen.channel, (specimen.channel,)
        )
    assert rejected.value.status == 405


@every_platform
@settings(max_examples=100)
@given(
    query=st.dictionaries(
        st.sampled_from(
            [
                "hub.mode",
                "hub.challenge",
                "hub.verify_token",
                "echostr",
                "signature",
                "timestamp",
                "nonce",
                "msg_signature",
            ]
        ),
        st.text(max_size=12),
    )
)
def test_no_made_up_url_check_is_answered(name: str, query: dict[str, str]) -> None:
    specimen = specimens()[name]
    request = WebhookRequest("GET", {}, query, b"")
    made = outcome(lambda: specimen.platform.accept(request, specimen.channel, (specimen.channel,)))
    assert made in (401, 403, 405)
