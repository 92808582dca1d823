"""one intent and one attempt as values, and what an event makes of them"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from precoro_daemon.payments.rules.transitions import Direction, Event, State, after, external_id
from precoro_daemon.values.money import plain


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment that must exist on the other side.

    source     what it is made from: the books' key of a payment, or Precoro's id of one
    amount     as the source has it; what was sent may be a rounding cent away from it
    invoice_id None while nobody knows which invoice it is for
    reason     why it is in its state; since: when it came there (Unix seconds)
    attempts   how often the permission to send was given
    doubted    an attempt came to nobody knows what, and it is sent again only if two of it cannot both fit
    looks      how often it was looked for since it was last sent; look_at: when it is looked for next
    remote_id  the other side's id of it; remote_idn: what Precoro addresses it by
    marked     Precoro knows it by our id, or will not take it; told: a refusal stands on the invoice
    seen       it was seen on the other side after it was confirmed
    """

    id: str
    direction: Direction
    ledger: str
    source: str
    amount: Decimal
    currency: str
    day: date
    invoice_id: int | None = None
    invoice_idn: int | str | None = None
    supplier: str | None = None
    state: State = State.PLANNED
    reason: str = ""
    since: float = 0.0
    attempts: int = 0
    doubted: bool = False
    looks: int = 0
    look_at: float | None = None
    remote_id: str | None = None
    remote_idn: int | str | None = None
    marked: bool = False
    told: bool = False
    seen: bool = False

    @property
    def names(self) -> frozenset[str]:
        """What the payment may be called at Precoro."""
        return frozenset({external_id(self.id, "uuid"), external_id(self.id, "number")})

    def __str__(self) -> str:
        invoice = self.invoice_idn if self.invoice_idn is not None else self.invoice_id
        where = "an invoice not yet known" if invoice is None else f"invoice {invoice}"
        source = self.source.removeprefix("payment:")
        return f"{plain(self.amount)} {self.currency} for {where} (payment {source} of {self.day})"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The permission to send once, and what came of it.

    amount       what is sent
    known        ids of the payments that were on the invoice before
    remainder    what the invoice owed; server_time: when that was, by the other side's clock
    body         hash of the request's body
    outcome      what came of it, None while nobody knows
    """

    intent: str
    number: int
    at: float
    amount: Decimal
    known: Sequence[int] = ()
    remainder: Decimal | None = None
    server_time: float | None = None
    body: str = ""
    outcome: str | None = None


ASKED = "a person is asked"
"""Among the facts of what holds an intent: whatever the books change by then, it is not sent without a person. With
what they must look at on the other side, as JSON, or just "yes"."""

OTHER = "a person said these are other payments"
"""Among the facts of what a person wants sent: what they had been asked about, as JSON."""

ASSIGNED = "a person named the invoice"
"""Among the facts of what begins an intent: the books call its invoice otherwise."""

_ASKED_OF_OLD = ("it may be this one, typed by a person", "it was made, and cancelled in Precoro")
_ASSIGNED_OF_OLD = " says it is for "
"""How versions that kept no such facts said the same."""


@dataclass(frozen=True, slots=True)
class Step:
    """An event and what it changes. `facts` stand in the journal for people; `changes` are fields of the intent."""

    event: Event
    at: float
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)


def begun(draft: Intent, step: Step) -> Intent:
    """An intent at its beginning. Raises ImpossibleTransition."""
    return replace(draft, state=after(None, step.event), reason=step.reason, since=step.at, **step.changes)


@dataclass(frozen=True, slots=True)
class Past:
    """What became of an intent so far, as far as it matters for what may become of it.

    last      its last event
    asked     a person was asked for what only they can see, or dropped it, and nobody has wanted it sent since
    assigned  a person said which invoice it is for
    about     what they are asked about; other: what they said is another payment
    """

    last: Event
    asked: bool = False
    assigned: bool = False
    about: frozenset[str] = frozenset()
    other: frozenset[str] = frozenset()


def recall(told: Iterable[tuple[str, str, Mapping[str, str]]]) -> Past:
    """By its journal from the beginning: event, reason and facts of each line."""
    past = Past(Event.PLAN)
    for name, reason, facts in told:
        event = Event(name)
        asked = (past.asked or event is Event.DROP) and event not in (Event.REPOST, Event.ADOPT)
        asked |= event is Event.HOLD and (ASKED in facts or any(words in reason for words in _ASKED_OF_OLD))
        assigned = past.assigned or ASSIGNED in facts or _ASSIGNED_OF_OLD in reason
        about = past.about | _listed(facts.get(ASKED, "")) if asked else frozenset()
        past = Past(event, asked, assigned, about, past.other | _listed(facts.get(OTHER, "")))
    return past


def asking(about: Iterable[str] = ()) -> Mapping[str, str]:
    """The fact that a person is asked."""
    return {ASKED: json.dumps(sorted(about)) if about else "yes"}


def answering(other: Iterable[str]) -> Mapping[str, str]:
    """The fact that a person said so, if there was anything to say it of."""
    return {OTHER: json.dumps(sorted(other))} if other else {}


def _listed(fact: str) -> frozenset[str]:
    return frozenset(json.loads(fact)) if fact.startswith("[") else frozenset()


def begun_again(
    intent: Intent, draft: Intent, step: Step, past: Past, *, claimed: bool, decided: bool = False
) -> Step | None:
    """The step by which an intent that came to nothing begins anew; None if it is not to.

    claimed  the books have it, and no other intent carries it: then a person is asked about what a person or the
             other side did not want
    decided  a person wants it so
    """
    if intent.state is not State.REJECTED:
        return None
    event, reason = Event.REPLAN if step.event is Event.PLAN else step.event, step.reason
    facts = dict(step.facts)
    if not decided and (past.last is not Event.WITHDRAW or (past.asked and claimed)):
        if not claimed:
            return None
        event, reason, facts[ASKED] = Event.HOLD, f"{intent.reason}; the books have it again", "yes"
    taken = {name: getattr(draft, name) for name in ("amount", "currency", "day", "supplier")}
    return Step(event, step.at, reason, facts, {**taken, "told": False, "looks": 0, "look_at": None})


def moved(intent: Intent, step: Step) -> Intent:
    """The intent after the step. Raises ImpossibleTransition."""
    state = after(intent.state, step.event)
    since = intent.since if state is intent.state else step.at
    reason = step.reason or (intent.reason if state is intent.state else "")
    return replace(intent, state=state, since=since, reason=reason, **step.changes)
