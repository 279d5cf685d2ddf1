"""Where records go whose person is known by another identity now: intake keys them, normalise believes the key."""

import socket
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from connectors.interface import Channel
from schemas import headers as names
from schemas.identities import Identity
from schemas.registry import decode_event, encode
from streams.broker.errors import BrokerUnavailable
from streams.channels import Channels
from streams.engine.api import Poison, Record
from streams.settings import Settings
from streams.stages.identities import HOPS_MAX, Identities
from streams.stages.intake import Intake
from streams.stages.normalise import Normalise
from streams.topics import Topics
from tests.contract.telegram_cases import SECRET, body_of, record_of
from tests.harness.memory_view import MemoryView

TOPICS = Topics("iris.", ("telegram",))


def followed(*moves: tuple[str, str]) -> Identities:
    """What was read from the topic so far."""
    identities = Identities("nowhere:1", TOPICS.identities, partitions=1, on_failure=lambda _error: None)
    for old, new in moves:
        identities.apply(old.encode(), encode(Identity(conversation_id=new)))
    return identities


def test_conversation_goes_on_where_its_last_move_led() -> None:
    assert followed().current("tg_main_1") == "tg_main_1"
    assert followed(("a", "b"), ("b", "c")).current("a") == "c"
    assert followed(("a", "b"), ("a", "c")).current("a") == "c"


def test_one_that_is_current_again_goes_nowhere() -> None:
    assert followed(("a", "b"), ("a", "a")).current("a") == "a"
    back = followed(("a", "b"), ("b", "b"), ("b", "a"), ("a", "a"))
    assert (back.current("a"), back.current("b")) == ("a", "a")


def test_moves_in_a_circle_end() -> None:
    assert followed(("a", "b"), ("b", "a")).current("a") in "ab"
    assert HOPS_MAX < 100


def test_tombstone_forgets_and_what_is_no_identity_is_left_out() -> None:
    identities = followed(("a", "b"))
    identities.apply(b"c", b"not JSON")
    identities.apply(b"\xff", encode(Identity(conversation_id="b")))
    identities.apply(b"a", None)
    assert [identities.current(name) for name in "ac"] == ["a", "c"]


class Kept:
    """A producer that remembers what it was given."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes, list[tuple[str, bytes]]]] = []

    async def produce(self, topic: str, records: Sequence[tuple[bytes, bytes, list[tuple[str, bytes]]]]) -> None:
        self.records += records


def update(chat: int, **message: Any) -> bytes:
    whole = {"message_id": 1, "date": 1_790_000_000, "chat": {"id": chat, "type": "group"}, **message}
    return body_of({"update_id": 1, "message": {"from": {"id": 7, "is_bot": False}, "text": "hi"} | whole})


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (update(-5), "tg_main_-99"),
        (update(-6), "tg_main_-6"),
        (update(-5, migrate_to_chat_id=-9), "tg_main_-5"),
    ],
    ids=["moved", "never moved", "about the move"],
)
async def test_intake_keys_by_the_conversation_that_goes_on_but_for_facts_about_the_old_one(
    body: bytes, key: str
) -> None:
    kept = Kept()
    channel = Channel("main", "telegram", {"secret_token": (SECRET,)})
    current = followed(("tg_main_-5", "tg_main_-99")).current
    intake = Intake(TOPICS, Settings(), Channels((channel,)), kept, current=current)
    async with TestClient(TestServer(intake.application())) as client:
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        assert (await client.post("/webhooks/telegram/main", data=body, headers=headers)).status == 200
    assert [stored[0].decode() for stored in kept.records] == [key]


def inbound(body: bytes, key: str) -> Record:
    headers = ((names.CHANNEL, b"main"), (names.RECEIVED_AT, b"1790000000000.5"))
    return Record(TOPICS.inbound("telegram"), 0, 0, 1_790_000_000_000, key.encode(), record_of(body).value, headers)


def test_normalise_puts_the_events_where_the_record_is_keyed() -> None:
    stage = Normalise(TOPICS, Channels(()))
    (output,) = stage.handle(MemoryView(b""), [inbound(update(-5), "tg_main_-99")])
    event = decode_event(output.value)
    assert (output.key, event.conversation_id) == (b"tg_main_-99", "tg_main_-99")
    assert event.data.sender_id == "7"


def test_record_that_is_keyed_by_no_conversation_of_its_channel_is_poison() -> None:
    with pytest.raises(Poison, match="names no conversation of its channel"):
        Normalise(TOPICS, Channels(())).handle(MemoryView(b""), [inbound(update(-5), "tg_other_-5")])


async def test_start_without_a_broker_says_what_is_missing_and_why_it_matters() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    identities = Identities(f"127.0.0.1:{port}", TOPICS.identities, partitions=1, on_failure=lambda _error: None)
    with pytest.raises(BrokerUnavailable, match=r"iris\.identities could not be read whole"):
        await identities.start()
    await identities.stop()
