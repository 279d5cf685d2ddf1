"""`send` reads `iris.outbound.<platform>` and calls the platforms; it writes `iris.conversation.events`.

Its table keeps a journal per message (``streams.delivery.journal``) and marks for spent reply tokens. Ask, tell,
remember: `send_started` and the journal are durable before a call that a user can see, and the journal is read before
every call. A call that was started and whose outcome nobody noted is repeated, identically, where it carries an
idempotency key; elsewhere its parts end as `message_unknown`, held, and the parts after them follow in their order.
"""

import asyncio
from collections.abc import Callable, Sequence

from connectors.errors import SendError
from connectors.interface import Channel, Downloads, Platform, Sender, Uploader
from connectors.registry import platform_named
from schemas import headers
from schemas.content import TemplateContent
from schemas.ids import split_conversation_id
from schemas.outbound import OutboundMessage
from schemas.registry import SchemaError, decode_command
from streams.channels import Channels
from streams.delivery import journal as journals
from streams.delivery.account import Account
from streams.delivery.approval import REASON, Approvals
from streams.delivery.attempts import Limits
from streams.delivery.courier import Courier, Route, World, save
from streams.delivery.gate import Gate
from streams.delivery.journal import Journal
from streams.delivery.telling import Teller
from streams.engine.api import ActiveView, Output, Poison, Record
from streams.settings import Settings
from streams.topics import Topics


class Send:
    """The stage. ``senders`` makes the I/O half of a platform; it is asked once for each that has a channel.
    ``download`` reads the media that those upload."""

    name = "send"
    has_table = True

    def __init__(
        self,
        topics: Topics,
        settings: Settings,
        channels: Channels,
        senders: Callable[[str], Sender],
        *,
        download: Downloads,
        world: World | None = None,
        approvals: Approvals | None = None,
        platforms: Callable[[str], Platform] = platform_named,
    ) -> None:
        self.reads = tuple(topics.outbound(platform) for platform in channels.platforms or topics.platforms)
        # A conversation that waits for a retry or for a paused channel occupies its own place only. What is limited to
        # `send_concurrency`, by the gate of each channel, are the calls; else one outage would hold up every platform.
        # A place for all that may be in hand: the limit per topic, and what one fetch brings beyond it.
        self.concurrency = (settings.inflight_records_max + settings.batch_records_max) * len(self.reads)
        self._events_topic = topics.events
        self._settings = settings
        self._channels = channels
        self._make_sender = senders
        self._download = download
        self._world = world or World()
        self.approvals = approvals or Approvals({})
        self._platforms = platforms
        self._senders: dict[str, Sender] = {}
        self._gates: dict[tuple[str, str], Gate] = {}

    @property
    def is_interruptible(self) -> bool:
        """Whether giving up everything now would leave no call in doubt."""
        return not any(gate.calls_out for gate in self._gates.values())

    async def start(self) -> None:
        """Make the senders of the configured channels."""
        for name in sorted({channel.platform for channel in self._channels.all}):
            sender = self._senders[name] = self._make_sender(name)
            if isinstance(sender, Uploader):
                sender.upload_from(self._download)

    async def stop(self) -> None:
        """Close them, and the downloads."""
        senders, self._senders = self._senders, {}
        await asyncio.gather(self._download.close(), *(sender.close() for sender in senders.values()))

    async def handle(self, view: ActiveView, records: Sequence[Record]) -> list[Output]:
        """Deliver one message, as far as its journal says that it still has to be; the events of what is settled last
        are returned, all others were committed on the way."""
        (record,) = records
        message = _decode(record)
        kept = view.get(journals.table_key(message.id))
        journal = journals.decode(kept)
        is_done = not journal.open_parts(message) if message.parts else kept is not None
        if is_done:
            return []
        account = self._account(message, journal, record)
        channel = self._channels.get(message.platform, message.channel)
        if channel is None:
            account.lose(journal.touched_parts(), "channel_not_configured")
            account.fail([part.id for part in message.parts], "channel_not_configured")
        else:
            self._refuse_templates(account, channel)
            await Courier(account, view, self._route(channel), self._world).deliver()
        save(view, account)
        return account.take()

    def _refuse_templates(self, account: Account, channel: Channel) -> None:
        """Parts whose template is known not to be approved fail before any call; what is in a user's hands already, or
        may be, is not touched."""
        touched = account.journal.touched_parts()
        for part in account.journal.open_parts(account.message):
            if part.id not in touched and isinstance(part.content, TemplateContent):
                why = self.approvals.refusal(channel, part.content)
                if why:
                    account.fail([part.id], REASON, SendError(why, code=REASON))

    def on_poison(self, record: Record, error: BaseException) -> list[Output]:
        """A message that was given up may have been sent in part: all of its parts that the log does not know better
        are unknown. A record that is no message at all has no parts to tell of."""
        try:
            message = _decode(record)
        except Poison:
            return []
        account = self._account(message, Journal(), record)
        account.lose([part.id for part in message.parts], f"given_up: {type(error).__name__}")
        return account.take()

    def _account(self, message: OutboundMessage, journal: Journal, record: Record) -> Account:
        teller = Teller(message, self._events_topic, traceparent=record.header(headers.TRACEPARENT))
        return Account(message, journal, teller, self._world.clock)

    def _route(self, channel: Channel) -> Route:
        platform = self._platforms(channel.platform)
        limits = Limits(
            tries=platform.attempts.count,
            wait_s_max=self._settings.send_retry_s_max,
            told_wait_s_max=self._settings.send_told_wait_s_max,
            pause_s=self._settings.send_pause_s,
            outage_s_max=self._settings.send_outage_s_max,
        )
        return Route(channel, platform, self._senders[channel.platform], self._gate(channel), limits)

    def _gate(self, channel: Channel) -> Gate:
        place = (channel.platform, channel.id)
        if place not in self._gates:
            self._gates[place] = Gate(
                slots=self._settings.send_concurrency,
                pause_s=self._settings.send_pause_s,
                clock=self._world.clock,
                sleep=self._world.sleep,
            )
        return self._gates[place]


def _decode(record: Record) -> OutboundMessage:
    """The record's message; raises Poison when it is none, or when its parts could not be told apart."""
    try:
        message = decode_command(record.value, OutboundMessage)
        split_conversation_id(message.conversation_id)
    except (SchemaError, ValueError) as error:
        raise Poison(f"no outbound message: {error}", record) from error
    if record.key != message.conversation_id.encode():
        raise Poison(f"the message is of {message.conversation_id}, the record's key of another conversation", record)
    if len({part.id for part in message.parts}) < len(message.parts):
        raise Poison(f"two parts of message {message.id} have one id", record)
    return message
