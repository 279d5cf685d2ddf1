"""One event through fold and decision: evolve, decide, take in what was decided, begin the next turn.

What is decided is folded at once, so that the next event of the same batch already sees the open turn.
"""

from dataclasses import dataclass, field

from schemas.envelope import AnyEvent
from schemas.fetching import FetchRequest
from schemas.outbound import OutboundMessage
from streams.conversation.context import Request, reply_request
from streams.conversation.decide import begin_turn, decide
from streams.conversation.media import fetch_requests
from streams.conversation.memory import Memory
from streams.conversation.model import State
from streams.conversation.moves import NO_MOVE, Move, departure, introduction
from streams.conversation.policy import Rules
from streams.conversation.scope import Scope
from streams.conversation.state import evolve
from streams.conversation.strays import led_on, waiting
from streams.conversation.taps import tap_answers


@dataclass(slots=True)
class Step:
    """The state after an event, and what it led to here and (``move``) in other conversations. ``led_on`` are events
    for other conversations about what was sent; ``strays``: event id to event, of reports that none will ever take."""

    state: State
    events: list[AnyEvent] = field(default_factory=list)
    commands: list[Request | OutboundMessage | FetchRequest] = field(default_factory=list)
    move: Move = NO_MOVE
    led_on: list[AnyEvent] = field(default_factory=list)
    strays: dict[str, bytes] = field(default_factory=dict)


def advance(state: State, event: AnyEvent, memory: Memory, rules: Rules) -> Step:
    """The whole effect of one event that was not folded before. A function of its arguments and of the memory."""
    limits = rules.limits
    # Asked first, because a conversation that moves forgets what it carries away.
    move = departure(state, event, memory)
    waited = waiting(state, event, memory)
    elsewhere = led_on(state, event, memory, rules)
    after = evolve(state, event, memory, limits)
    made = decide(state, after, event, rules)
    step = Step(after, made.events, [*made.messages, *fetch_requests(state, after, event)])
    step.led_on = elsewhere
    step.move = move if move is not NO_MOVE else introduction(state, after, event)
    if waited:
        left = {orphan.event_id for orphan in after.orphans}
        step.strays = {event_id: value for event_id, value in waited.items() if event_id not in left}
    for decided in made.events:
        step.state = evolve(step.state, decided, memory, limits)
    requested = begin_turn(step.state, event, rules)
    if requested is not None:
        step.state = evolve(step.state, requested, memory, limits)
        # A copy from beyond the memory of ids may ask again for a turn that is known to be answered.
        if step.state.turn is not None:
            step.events.append(requested)
            scope = Scope(memory, limits, step.state.now)
            step.commands.append(reply_request(step.state, requested, scope, config=rules.config))
    if step.move is NO_MOVE:
        step.commands += tap_answers(state, step.state, event, made.messages)
    return step
