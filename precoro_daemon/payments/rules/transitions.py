"""the life of an intent: what may happen in which state, and what it changes

Theory of operation
-------------------
An intent is a payment that must exist on the other side. Precoro has no idempotency keys, and a request whose answer
never arrived may still be carried out hours later. So sending alone cannot guarantee "exactly once". What can be
guaranteed: a payment is never sent twice and never silently lost, and a person decides about a small share.

Three rules achieve that. First, the row that says SENDING is the write-ahead permit. It is on disk before the first
byte of a request leaves, so a crash leaves an attempt with an unknown outcome, not an attempt without a trace.
Second, any answer that is not clear is a DOUBT, and a DOUBT is resolved by checking, never by sending. Third, at
most one intent of an invoice is unresolved, so two requests of ours never compete for one remainder.

An intent that is proved unsent (it failed before the request left, or Precoro answered a documented 429) goes back to
PLANNED. One that was checked and not found is sent again only if the invoice has no room for two of it, and only if
the operator chose so. Else it waits in REVIEW for a person, whose decision is journalled like any other event.

TABLE is complete: a transition that is not in it cannot happen. The diagram in the manual is drawn from it. What an
event changes besides the state is in `apply`, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from precoro_daemon.payments.rules.events import (
    Accept,
    Adopt,
    Check,
    Differ,
    Drop,
    Event,
    Find,
    Hold,
    Lose,
    Mark,
    Miss,
    Plan,
    Postpone,
    Refuse,
    Repeat,
    Replan,
    Report,
    Repost,
    See,
    Send,
    Terms,
    Unsent,
    Withdraw,
)
from precoro_daemon.payments.rules.intents import Intent, Step
from precoro_daemon.payments.rules.states import AttemptOutcome, State


class Transition(NamedTuple):
    """A row of the table. `source` is None for a transition that begins an intent."""

    source: State | None
    event: type[Event]
    target: State
    meaning: str


TABLE: tuple[Transition, ...] = (
    Transition(None, Plan, State.PLANNED, "a payment for an open invoice was seen"),
    Transition(None, Hold, State.REVIEW, "it cannot be matched without a guess"),
    Transition(State.PLANNED, Replan, State.PLANNED, "the ledger changed it before it was sent"),
    Transition(State.REVIEW, Replan, State.PLANNED, "the ledger changed what was held before it was sent"),
    Transition(State.REJECTED, Replan, State.PLANNED, "its source has it again"),
    Transition(State.REJECTED, Hold, State.REVIEW, "its source has it again, and a person must decide"),
    Transition(State.PLANNED, Postpone, State.PLANNED, "it cannot be sent yet"),
    Transition(State.PLANNED, Check, State.PLANNED, "not sent by an earlier life of the store"),
    Transition(State.PLANNED, Send, State.SENDING, "the invoice was read and everything fits"),
    Transition(State.PLANNED, Hold, State.REVIEW, "the invoice was read and something does not fit"),
    Transition(State.PLANNED, Withdraw, State.REJECTED, "the ledger took it back before it was sent"),
    Transition(State.PLANNED, Drop, State.REJECTED, "a person does not want it sent"),
    Transition(State.PLANNED, Find, State.CONFIRMED, "the other side has it already"),
    Transition(State.SENDING, Accept, State.CONFIRMED, "answered with an id"),
    Transition(State.PLANNED, Differ, State.REVIEW, "the other side has it already, and otherwise than it is to be"),
    Transition(State.SENDING, Differ, State.REVIEW, "recorded otherwise than it was sent, or without an id"),
    Transition(State.SENDING, Refuse, State.REJECTED, "refused, and never in doubt before"),
    Transition(State.SENDING, Unsent, State.PLANNED, "it provably never left, or a documented 429"),
    Transition(State.SENDING, Lose, State.DOUBT, "any other outcome, or a crash"),
    Transition(State.DOUBT, Check, State.DOUBT, "checked, nothing settled yet"),
    Transition(State.DOUBT, Find, State.CONFIRMED, "found by our id"),
    Transition(State.DOUBT, Differ, State.REVIEW, "found by our id, and otherwise than it was sent"),
    Transition(State.DOUBT, Repeat, State.PLANNED, "not found, and two of it cannot both fit"),
    Transition(State.DOUBT, Hold, State.REVIEW, "not found, or found without our id"),
    Transition(State.CONFIRMED, See, State.CONFIRMED, "seen on the other side"),
    Transition(State.CONFIRMED, Mark, State.CONFIRMED, "Precoro calls it by our id, or will not"),
    Transition(State.CONFIRMED, Miss, State.REVIEW, "gone, or changed in the ledger afterwards"),
    Transition(State.REVIEW, Check, State.REVIEW, "checked again, nothing new"),
    Transition(State.REVIEW, Hold, State.REVIEW, "the ledger changed it, and it still needs a person"),
    Transition(State.REVIEW, Withdraw, State.REJECTED, "the ledger took back what was never sent"),
    Transition(State.REVIEW, Find, State.CONFIRMED, "found by our id after all"),
    Transition(State.REVIEW, Adopt, State.CONFIRMED, "a person found it there"),
    Transition(State.REVIEW, Repost, State.PLANNED, "a person wants it sent"),
    Transition(State.REVIEW, Drop, State.REJECTED, "a person does not want it sent"),
    Transition(State.REJECTED, Report, State.REJECTED, "the invoice shows why"),
    Transition(State.REJECTED, Drop, State.REJECTED, "a person does not want it sent"),
    Transition(State.REJECTED, Repost, State.PLANNED, "a person wants it sent after all"),
)

OUTCOMES: Mapping[type[Event], AttemptOutcome] = {
    Accept: AttemptOutcome.ACCEPTED,
    Differ: AttemptOutcome.ACCEPTED,
    Refuse: AttemptOutcome.REFUSED,
    Unsent: AttemptOutcome.UNSENT,
    Lose: AttemptOutcome.UNKNOWN,
    Find: AttemptOutcome.FOUND,
}
"""The outcome of the last attempt, by the event that ends it."""

_TARGETS = {(row.source, row.event): row.target for row in TABLE}


class ImpossibleTransition(LookupError):
    """Raised if the table lacks a transition. That is a bug in this program, and it is stopped before anything is
    written.
    """


def after(source: State | None, event: type[Event]) -> State:
    """Returns the state after an event. Raises ImpossibleTransition."""
    if (target := _TARGETS.get((source, event))) is None:
        raise ImpossibleTransition(f"{event.name} cannot happen to an intent that is {source or 'not yet there'}")
    return target


def begun(new: Intent, step: Step) -> Intent:
    """Returns a new intent after its first step. Raises ImpossibleTransition."""
    state = after(None, type(step.event))
    if (new.state, new.reason, new.since) == (state, step.reason, step.at):
        return new
    return replace(new, state=state, reason=step.reason, since=step.at)


def moved(intent: Intent, step: Step) -> Intent:
    """Returns the intent after the step. Raises ImpossibleTransition."""
    now = apply(intent, step.event)
    if now.state is intent.state:
        return replace(now, reason=step.reason or intent.reason)
    return replace(now, reason=step.reason, since=step.at)


def apply(intent: Intent, event: Event) -> Intent:  # noqa: C901, PLR0911, PLR0912 - one row for each event
    """Returns the intent after the event. Raises ImpossibleTransition."""
    now = replace(intent, state=after(intent.state, type(event)), obstacle=None)
    match event:
        case Replan():
            return _agreed(_revived(now, intent.state), event.terms)
        case Hold():
            return _held(_revived(now, intent.state), intent.state, event)
        case Postpone():
            return replace(now, obstacle=event.obstacle)
        case Send():
            return replace(now, attempts=now.attempts + 1)
        case Accept():
            there = _there(now, event.remote_id, event.remote_idn, seen=event.seen)
            return replace(there, marked=event.marked, checks=0)
        case Differ():
            return replace(now, remote_id=event.remote_id, doubted=True, checks=0, check_at=None)
        case Find():
            there = _there(now, event.remote_id, event.remote_idn, seen=event.seen)
            return replace(there, checks=now.checks + 1)
        case Adopt():
            return replace(_there(now, event.remote_id, now.remote_idn, seen=event.seen), checks=0)
        case Lose():
            return replace(now, doubted=True, checks=0, check_at=event.check_at)
        case Check():
            return replace(now, checks=now.checks + 1, check_at=event.check_at)
        case Repeat():
            return replace(now, checks=0, check_at=None)
        case Withdraw() | Drop():
            return replace(now, reported=True, check_at=None)
        case See():
            return replace(now, seen=True)
        case Mark():
            return replace(now, marked=True)
        case Report():
            return replace(now, reported=True)
        case Repost():
            return _agreed(_as_new(now), event.terms)
    return now  # Plan, Refuse, Unsent and Miss change only the state


def _there(intent: Intent, remote_id: str, remote_idn: int | str | None, *, seen: bool) -> Intent:
    """Returns the intent as it is once the other side has it."""
    known = replace(intent, remote_id=remote_id, remote_idn=remote_idn, marked=True, seen=seen)
    return replace(known, doubted=False, check_at=None)


def _held(now: Intent, source: State, event: Hold) -> Intent:
    checks = now.checks
    if source is State.DOUBT:
        checks += 1
    elif event.check_at is not None:
        checks = 0
    held = replace(now, obstacle=event.obstacle, checks=checks, check_at=event.check_at)
    return _agreed(held, event.terms)


def _revived(now: Intent, source: State) -> Intent:
    """Returns the intent, with its checks and report reset if it was rejected and begins again."""
    return replace(now, reported=False, checks=0, check_at=None) if source is State.REJECTED else now


def _as_new(intent: Intent) -> Intent:
    """Returns the intent without anything that was known about it on the other side, because a person wants it
    sent.
    """
    fresh = replace(intent, doubted=False, reported=False, checks=0, check_at=None)
    return replace(fresh, remote_id=None, remote_idn=None, marked=False, seen=False)


def _agreed(intent: Intent, terms: Terms | None) -> Intent:
    if terms is None:
        return intent
    agreed = replace(intent, amount=terms.amount, currency=terms.currency, day=terms.day)
    return replace(agreed, supplier=terms.supplier, supplier_id=terms.supplier_id)


def diagram() -> str:
    """Returns the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for row in TABLE:
        source = "[*]" if row.source is None else row.source.upper()
        lines.append(f"    {source} --> {row.target.upper()}: {row.event.name} ({row.meaning})")
    lines += [f"    {state.upper()} --> [*]" for state in (State.CONFIRMED, State.REJECTED)]
    return "\n".join(lines)
