"""Policies of channels: what may be chosen, and what is said about a wrong choice."""

import pytest

from connectors.interface import Channel
from streams.conversation.policy import Limits, Policy, limits_of, policy_of
from streams.settings import Settings, SettingsError


def test_channel_without_a_policy_has_the_defaults() -> None:
    assert policy_of(Channel("shop", "line", {})) == Policy(version=0, lease_ms=1_800_000, on_unknown="hold")


def test_lease_is_given_in_seconds() -> None:
    assert policy_of(Channel("shop", "line", {}, policy={"lease_s": 2.5})).lease_ms == 2_500


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        ({"on_unknown": "resend"}, "policy.on_unknown = 'resend': only 'hold' is supported"),
        ({"on_unknown": "ask"}, "policy.on_unknown = 'ask': only 'hold' is supported"),
        ({"lease_s": 0}, "policy.lease_s = 0: give the seconds"),
        ({"lease_s": "long"}, "policy.lease_s = 'long': give the seconds"),
        ({"lease_s": True}, "policy.lease_s = True: give the seconds"),
        ({"lease_s": float("inf")}, "policy.lease_s = inf: give the seconds"),
        ({"typing": "yes"}, "policy.typing = 'yes': write true or false"),
        ({"mark_read": 1}, "policy.mark_read = 1: write true or false"),
        ({"quote": "never"}, "policy.quote = 'never': write true or false"),
    ],
)
def test_wrong_policy_is_named_with_its_channel(policy: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        policy_of(Channel("shop", "line", {}, policy=policy))
    assert complaint in str(caught.value)
    assert "channel 'shop' (line)" in str(caught.value)


def test_settings_become_limits() -> None:
    assert limits_of(Settings()) == Limits()
    assert limits_of(Settings(session_hours=0.5, evidence_wait_s=1.5)).session_ms == 1_800_000
