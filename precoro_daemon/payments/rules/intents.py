"""an intent, an attempt to send it, and a step of its life, as values"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from precoro_daemon.payments.rules.events import Event
from precoro_daemon.payments.rules.obstacles import Obstacle
from precoro_daemon.payments.rules.sources import Source, external_id
from precoro_daemon.payments.rules.states import MADE_NOTHING, AttemptOutcome, Direction, State
from precoro_daemon.values.money import plain


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment that must exist on the other side.

    source      what it is made from
    amount      the source's amount; the amount sent may differ from it by a rounding cent
    invoice_id  None while its invoice is unknown
    reason      why it is in its state, for people
    since       when it entered its state (Unix seconds)
    obstacle    what keeps it from being sent, as far as that was journalled
    attempts    how often the permit to send was granted
    doubted     whether the outcome of an attempt is unknown; then it is sent again only if there is no room for two
    checks      how often it was checked since it was last sent
    check_at    when the next check is due
    remote_id   the other side's id of it
    remote_idn  the number by which Precoro addresses it
    marked      whether Precoro has our id for it, or will not accept it
    reported    whether a refusal is shown on the invoice
    seen        whether it was seen on the other side after it was confirmed
    """

    id: str
    direction: Direction
    ledger: str
    source: Source
    amount: Decimal
    currency: str
    day: date
    invoice_id: int | None = None
    invoice_idn: int | str | None = None
    supplier: str | None = None
    supplier_id: str | None = None
    state: State = State.PLANNED
    reason: str = ""
    obstacle: Obstacle | None = None
    since: float = 0.0
    attempts: int = 0
    doubted: bool = False
    checks: int = 0
    check_at: float | None = None
    remote_id: str | None = None
    remote_idn: int | str | None = None
    marked: bool = False
    reported: bool = False
    seen: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The names that the payment may have at Precoro."""
        return frozenset({external_id(self.id, "uuid"), external_id(self.id, "number")})

    def __str__(self) -> str:
        invoice = self.invoice_idn if self.invoice_idn is not None else self.invoice_id
        where = "an invoice not yet known" if invoice is None else f"invoice {invoice}"
        return f"{plain(self.amount)} {self.currency} for {where} (payment {self.source} of {self.day})"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The permit to send once, and its outcome.

    amount       the amount sent
    known        ids of the payments that were on the invoice before
    remainder    what the invoice owed
    server_time  when that was, by the other side's clock
    body         hash of the request's body
    outcome      None while unknown
    """

    intent: str
    number: int
    at: float
    amount: Decimal
    known: Sequence[int] = ()
    remainder: Decimal | None = None
    server_time: float | None = None
    body: str = ""
    outcome: AttemptOutcome | None = None


def made_nothing(attempts: Sequence[Attempt]) -> bool:
    """Returns whether every attempt is known to have created no payment."""
    return all(attempt.outcome in MADE_NOTHING for attempt in attempts)


@dataclass(frozen=True, slots=True)
class Step:
    """An event, and what the journal says about it for people: a reason, and facts for a decision."""

    event: Event
    at: float
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
