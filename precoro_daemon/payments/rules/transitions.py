"""life of an intent as a transition table

Theory of operation
-------------------
An intent is a payment that must exist on the other side. There is no idempotency key at Precoro, and a request whose
answer never came may still be carried out hours later. So nobody can make "exactly once" out of sending alone; what
can be had is: never twice, never silently lost, and a small share that a person decides.

Three rules carry that. First, the row that says SENDING is on disk before the first byte of a request leaves, so a
crash finds an attempt whose outcome is unknown instead of nothing at all. Second, whatever is not a clear answer is a
DOUBT, and a DOUBT is settled by looking, never by sending. Third, at most one intent of an invoice is unresolved, so
two requests of ours never run for one remainder.

An intent that proves unsent (it failed before the request left, or Precoro answered a documented 429) goes back to
PLANNED. One that was looked for and not found may be sent again only where two of ours cannot both fit, and only if
the operator chose so; else it waits in REVIEW for a person, whose word is journalled like any other event.

TABLE is the whole of it: what is not in it cannot happen, and the diagram in the manual is drawn from it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple
from uuid import UUID, uuid5

Direction = Literal["to_precoro", "to_ledger"]

_NAMESPACE = UUID("5a1cf6f8-7d1d-5e0b-9f5e-1f3f1f0f3b55")
"""Never changed: a lost store must derive the ids that are already at Precoro and in the books."""


class State(StrEnum):
    """planned    it must be sent, and nothing of it is under way
    sending    the permission to send is on disk; an outcome is not
    confirmed  the other side has it
    rejected   the other side refused it, or a person or the books took it back
    doubt      it may have been carried out
    review     a person decides
    """

    PLANNED = "planned"
    SENDING = "sending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    DOUBT = "doubt"
    REVIEW = "review"


UNRESOLVED = frozenset({State.PLANNED, State.SENDING, State.DOUBT, State.REVIEW})


class Event(StrEnum):
    PLAN = "plan"
    REPLAN = "replan"
    SEND = "send"
    ACCEPT = "accept"
    REFUSE = "refuse"
    UNSENT = "unsent"
    LOSE = "lose"
    FIND = "find"
    LOOK = "look"
    REPEAT = "repeat"
    HOLD = "hold"
    WITHDRAW = "withdraw"
    SEE = "see"
    MARK = "mark"
    TELL = "tell"
    MISS = "miss"
    ADOPT = "adopt"
    REPOST = "repost"
    DROP = "drop"


class Transition(NamedTuple):
    """`source` is None for what begins an intent."""

    source: State | None
    event: Event
    target: State
    meaning: str


TABLE: tuple[Transition, ...] = (
    Transition(None, Event.PLAN, State.PLANNED, "a payment for an open invoice was seen"),
    Transition(None, Event.HOLD, State.REVIEW, "it cannot be matched without a guess"),
    Transition(State.PLANNED, Event.REPLAN, State.PLANNED, "the books changed it before it was sent"),
    Transition(State.REVIEW, Event.REPLAN, State.PLANNED, "the books changed what was held before it was sent"),
    Transition(State.REJECTED, Event.REPLAN, State.PLANNED, "its source has it again"),
    Transition(State.REJECTED, Event.HOLD, State.REVIEW, "its source has it again, and a person must decide"),
    Transition(State.PLANNED, Event.LOOK, State.PLANNED, "it cannot be sent yet"),
    Transition(State.PLANNED, Event.SEND, State.SENDING, "the invoice was read and everything fits"),
    Transition(State.PLANNED, Event.HOLD, State.REVIEW, "the invoice was read and something does not fit"),
    Transition(State.PLANNED, Event.WITHDRAW, State.REJECTED, "the books took it back before it was sent"),
    Transition(State.PLANNED, Event.DROP, State.REJECTED, "a person does not want it sent"),
    Transition(State.PLANNED, Event.FIND, State.CONFIRMED, "the other side has it already"),
    Transition(State.SENDING, Event.ACCEPT, State.CONFIRMED, "answered with an id"),
    Transition(State.SENDING, Event.REFUSE, State.REJECTED, "refused, and never in doubt before"),
    Transition(State.SENDING, Event.UNSENT, State.PLANNED, "it provably never left, or a documented 429"),
    Transition(State.SENDING, Event.LOSE, State.DOUBT, "any other outcome, or a crash"),
    Transition(State.DOUBT, Event.LOOK, State.DOUBT, "looked for, nothing settled yet"),
    Transition(State.DOUBT, Event.FIND, State.CONFIRMED, "found by our id"),
    Transition(State.DOUBT, Event.REPEAT, State.PLANNED, "not found, and two of it cannot both fit"),
    Transition(State.DOUBT, Event.HOLD, State.REVIEW, "not found, or found without our id"),
    Transition(State.CONFIRMED, Event.SEE, State.CONFIRMED, "seen on the other side"),
    Transition(State.CONFIRMED, Event.MARK, State.CONFIRMED, "Precoro calls it by our id, or will not"),
    Transition(State.CONFIRMED, Event.MISS, State.REVIEW, "gone, or changed in the books afterwards"),
    Transition(State.REVIEW, Event.LOOK, State.REVIEW, "looked for again, nothing new"),
    Transition(State.REVIEW, Event.HOLD, State.REVIEW, "the books changed it, and it still needs a person"),
    Transition(State.REVIEW, Event.WITHDRAW, State.REJECTED, "the books took back what was never sent"),
    Transition(State.REVIEW, Event.FIND, State.CONFIRMED, "found by our id after all"),
    Transition(State.REVIEW, Event.ADOPT, State.CONFIRMED, "a person found it there"),
    Transition(State.REVIEW, Event.REPOST, State.PLANNED, "a person wants it sent"),
    Transition(State.REVIEW, Event.DROP, State.REJECTED, "a person does not want it sent"),
    Transition(State.REJECTED, Event.TELL, State.REJECTED, "the invoice tells why"),
    Transition(State.REJECTED, Event.REPOST, State.PLANNED, "a person wants it sent after all"),
)

_TARGETS = {(row.source, row.event): row.target for row in TABLE}


class ImpossibleTransition(LookupError):
    """The table does not have it: a mistake in this program, stopped before it is written."""


def after(source: State | None, event: Event) -> State:
    """The state after an event. Raises ImpossibleTransition."""
    if (target := _TARGETS.get((source, event))) is None:
        raise ImpossibleTransition(f"{event} cannot happen to an intent that is {source or 'not yet there'}")
    return target


def intent_id(company: str, ledger: str, payment: str, invoice: int | None) -> str:
    """The same for the same payment, whatever became of the store. `invoice` is None where it is not yet known."""
    return str(uuid5(_NAMESPACE, "|".join((company, ledger, payment, "" if invoice is None else str(invoice)))))


def external_id(intent: str, form: Literal["uuid", "number"]) -> str:
    """What the payment is called at Precoro. As a number: 18 digits at most, which 64 bits hold."""
    return intent if form == "uuid" else str(UUID(intent).int % 10**18)


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for row in TABLE:
        source = "[*]" if row.source is None else row.source.upper()
        lines.append(f"    {source} --> {row.target.upper()}: {row.event} ({row.meaning})")
    lines += [f"    {state.upper()} --> [*]" for state in (State.CONFIRMED, State.REJECTED)]
    return "\n".join(lines)
