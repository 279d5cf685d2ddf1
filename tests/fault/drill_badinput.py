"""bad input: mutated bodies by the hundred thousand, hostile webhooks, and poison on every topic among good messages.

Model: nothing crashes, nothing vanishes, nothing costs much; a webhook is never answered with 5xx; a poison record is
in the dead letters soon, unchanged, and its partition goes on: the good messages around it are answered, in order.
Figure: "bad input" of the table of drills.
"""

import asyncio
import contextlib
import json
import random

from connectors.registry import platform_named
from schemas.ids import conversation_id
from streams.app import STAGES, build_topics
from tests.contract.endurance import endure
from tests.contract.mutations import changed_bytes, changed_members
from tests.contract.specimens import specimens
from tests.fakes.base import FakePlatform
from tests.fault.drill_frame import Frame
from tests.fault.poison import Poison, poisoned_topics
from tests.fault.raw_http import statuses_of, wire
from tests.harness.backlog import watching_backlog
from tests.harness.deployment import CHANNEL, Deployment
from tests.harness.eventually import eventually
from tests.harness.history import Verdict, check
from tests.harness.load import Load
from tests.harness.topics import producing, read_topic

USERS = 10
DEAD_S_MAX = 5.0
SETTLED_S_MAX = 60.0
HTTP_CASES = 60
"""Of each platform."""


async def run(frame: Frame) -> None:
    """Bytes first, then records, then webhooks."""
    _bytes(frame, count=int(frame.scaled("mutations per platform", 100_000, 500)))
    good = int(frame.scaled("good messages and poison records", 1_000, 120))
    # The payloads name media on hosts that do not exist: what is tried for long would look like a stalled partition.
    settings = {"fetch_outage_s_max": 1, "fetch_timeout_s": 2}
    it = Deployment(frame.bootstrap, frame.folder / "badinput", seed=frame.seed, settings=settings)
    async with it.running():
        await _records(frame, it, good)
        await _webhooks(frame, it)
        dead = {name: process.tail(3) for name, process in it.processes.items() if not process.is_alive}
        frame.require(not dead, f"processes ended: {dead}")


def _bytes(frame: Frame, *, count: int) -> None:
    worst_ms = 0.0
    for name, specimen in specimens().items():
        found = endure(specimen, count=count, seed=frame.seed)
        frame.say(f"{name}: {found}")
        worst_ms = max(worst_ms, found.cpu_ms_max)
        frame.measures["mutations"] = frame.measures.get("mutations", 0) + found.tried
    frame.measure("cpu_ms_max", worst_ms, limit=50.0)


# Records.


async def _records(frame: Frame, it: Deployment, good: int) -> None:
    """As many poison records as good messages, at the same time and in the same conversations."""
    fakes = list(it.fakes.values())
    messages = good // (USERS * len(fakes)) + 1
    load = Load(fakes, users=USERS, messages=messages, pause_s=frame.scaled("pause between messages", 1.0, 0.5), seed=1)
    topics = build_topics(it.product_settings)
    keys = [_key(fake, f"user{number}") for fake in fakes for number in range(USERS)]
    poison = Poison(frame.random, poisoned_topics(topics, list(it.fakes)), keys)
    wanted: asyncio.Queue[int] = asyncio.Queue()
    async with producing(it.bootstrap) as producer:

        async def keep_pace() -> None:
            for _ in range(messages * USERS * len(fakes)):
                await wanted.get()
                await poison.write(producer)

        frame.plan_faults(messages * USERS * len(fakes))
        await poison.write_to(producer, (topics.identities, topics.control))
        await asyncio.gather(load.run(wanted.put_nowait), keep_pace())
    await _judge_poison(frame, it, poison)
    verdict = await eventually(lambda: _clean(it, load, poison), timeout_s=SETTLED_S_MAX, interval_s=1)
    frame.judge(verdict)
    await _judge_partitions(frame, it)


def _key(fake: FakePlatform, user: str) -> bytes:
    return conversation_id(platform_named(fake.name).prefix, CHANNEL, fake.native_user(user)).encode()


async def _judge_poison(frame: Frame, it: Deployment, poison: Poison) -> None:
    topic = build_topics(it.product_settings).dead_letters

    async def all_dead() -> dict[tuple[str, int, int], float]:
        found = poison.ages_s(await read_topic(it.bootstrap, topic))
        missing = poison.written.keys() - found.keys()
        assert not missing, f"{len(missing)} poison records are no dead letters: {sorted(missing)[:3]}"
        return found

    ages = await eventually(all_dead, timeout_s=SETTLED_S_MAX, interval_s=0.5)
    frame.faults_seen += len(ages)
    frame.measure("dead_letter_s_max", max(ages.values()), limit=DEAD_S_MAX)
    frame.say(f"{len(ages)} poison records became dead letters, the last after {max(ages.values()):.1f} s")


async def _clean(it: Deployment, load: Load, poison: Poison) -> Verdict:
    log = await read_topic(it.bootstrap, build_topics(it.product_settings).events)
    seen = {(name, user): fake.seen(user) for name, fake in it.fakes.items() for user in load.users_of(name)}
    verdict = check(load.sent, [record for record in log if not poison.is_own(record)], seen)
    verdict.expect_clean()
    return verdict


async def _judge_partitions(frame: Frame, it: Deployment) -> None:
    """Every stage reads every partition of its topics to the end."""
    async with watching_backlog(it.bootstrap, build_topics(it.product_settings)) as backlog:

        async def nothing_left() -> None:
            left = await backlog.over(STAGES)
            assert not left, f"records that nobody reads: {left}"

        stalled = 0
        try:
            await eventually(nothing_left, timeout_s=SETTLED_S_MAX, interval_s=0.5)
        except AssertionError as error:
            stalled = sum(len(left) for left in (await backlog.over(STAGES)).values())
            frame.require(False, str(error))
        frame.measures["stalled_partitions"] = stalled


# Webhooks.


async def _webhooks(frame: Frame, it: Deployment) -> None:
    """Signed bodies that are no longer what the platform meant, and requests that are none."""
    requests = [
        request
        for name, fake in it.fakes.items()
        for request in _hostile(fake, f"/webhooks/{name}/{CHANNEL}", frame.random)
    ]
    found = await statuses_of(it.port, requests)
    frame.say(f"{len(requests)} hostile webhooks: {dict(found)}")
    frame.measures["hostile_webhooks"] = len(requests)
    broken = sum(count for status, count in found.items() if status >= 500 or status == 0)
    frame.measures["server_errors"] = broken
    frame.require(not broken, f"hostile webhooks were answered with {dict(found)}")
    for fake in it.fakes.values():
        status = await fake.deliver(fake.body([fake.user_message("last", "still there?")]))
        frame.require(status == 200, f"an honest message on {fake.name} was answered with {status} afterwards")
    await _judge_partitions(frame, it)


def _hostile(fake: FakePlatform, path: str, chances: random.Random) -> list[bytes]:
    bodies = list(specimens()[fake.name].bodies.values())
    found = []
    for number in range(HTTP_CASES):
        body = chances.choice(bodies)
        if number % 2:
            # XML has no members to change.
            with contextlib.suppress(ValueError):
                body = json.dumps(changed_members(json.loads(body), chances)).encode()
        else:
            body = changed_bytes(body, chances)
        found.append(_signed(fake, path, body))
    odd = (b"", b"null", b"[]", b"0", b"\xff" * 100, b"\x00", b"<", b"{" * 300, b"a=b&c=d", b"9" * 5_000)
    return [*found, *(_signed(fake, path, body) for body in odd), wire(path), wire(f"{path}/more"), wire(path[:-1])]


def _signed(fake: FakePlatform, path: str, body: bytes) -> bytes:
    try:
        query = fake.query(body)
    except SyntaxError:
        # The fake signs what is inside its own XML; what is none gets a proof of something else.
        query = fake.query(b"<x/>")
    return wire(path, body, fake.headers(body), query)
