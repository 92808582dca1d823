"""what paying must not forget: intents, attempts, and the append-only journal"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from precoro_daemon.payments.ports.switch import Switch
    from precoro_daemon.payments.rules.events import Dialogue
    from precoro_daemon.payments.rules.history import Past
    from precoro_daemon.payments.rules.intents import Attempt, Intent, Step
    from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
    from precoro_daemon.payments.rules.states import Direction, State

Link = Literal["carries", "frees", "unsettles"]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the journal; `intent` is "" if the row concerns all intents.

    reason, facts  only for people: no decision depends on them
    dialogue       the question to a person, or the person's answer
    """

    seq: int
    at: float
    intent: str
    event: str
    source: str
    target: str
    attempt: int
    reason: str
    facts: Mapping[str, str]
    dialogue: Dialogue | None = None


@dataclass(frozen=True, slots=True)
class Beginning:
    """A new intent, its first step, and the ledger's payment that it carries."""

    new: Intent
    step: Step
    payment: LedgerPayment | None = None


class Journal(Protocol):
    """Intents, attempts and the append-only journal. Has one writer.

    Every writing method is one transaction, durable on return; cancellation leaves it done or not begun. Raises
    StaleIntent if an intent is no longer in the state it was read in, and StoreUnusable if the disk is full or
    read-only, or the file is damaged.
    """

    async def prepare(self) -> None:
        """Creates what a mirror without payments does not need. Called once in every process, before any other
        method.
        """
        ...

    async def switch(self) -> Switch:
        """Returns whether payments are armed. They are not in a store that is new, was restored from a copy, or was
        moved, whatever that store itself says.
        """
        ...

    async def arm(self, at: float) -> None: ...

    async def disarm(self, at: float, reason: str) -> None: ...

    async def plan(self, new: Intent, step: Step, payment: LedgerPayment | None = None) -> Intent | None:
        """Begins an intent, and records that it carries the ledger's payment as it was judged, atomically.

        A withdrawn intent begins again. One that was refused or dropped does so only for a payment that no intent
        carries, and then a person is asked. Returns None, and writes nothing, if the intent exists in any other
        state, or if another intent of its invoice is unresolved (in the direction to Precoro).
        """
        ...

    async def plan_many(self, beginnings: Sequence[Beginning]) -> Sequence[Intent | None]:
        """Does `plan` for each, in order, in one transaction, and returns the results in the same order.

        Of two for one invoice, the second finds the first unresolved. An error for one rolls all of them back.
        """
        ...

    async def replace(
        self, intent: Intent, step: Step, new: Intent, begin: Step, payment: LedgerPayment
    ) -> Intent | None:
        """Moves an intent and begins another one that carries the same payment of the ledger, atomically.

        It works like `plan`, but a person decided it, so a dropped intent begins again. Returns None, and writes
        nothing, if the new intent cannot begin.
        """
        ...

    async def record(
        self, intent: Intent, step: Step, payment: LedgerPayment | None = None, *, link: Link = "carries"
    ) -> Intent:
        """Moves an intent, with a row of the journal, and records its new relation to the payment, atomically.

        carries    the intent carries the payment as given
        frees      the intent no longer carries it
        unsettles  whatever the payment says next counts as a change
        """
        ...

    async def begin(self, intent: Intent, attempt: Attempt, step: Step) -> Intent:
        """Grants the permit to send. On return, attempt, state and journal row are on disk, and so is the restore
        guard, which distinguishes a restored store from this one. Raises SendingStopped if payments are not, or no
        longer, armed.
        """
        ...

    async def end(self, intent: Intent, step: Step) -> Intent:
        """Moves an intent, and gives its last attempt the outcome that belongs to the event (`OUTCOMES`)."""
        ...

    async def intent(self, prefix: str) -> Sequence[Intent]:
        """Returns the intents whose id has this prefix."""
        ...

    async def in_state(self, direction: Direction, *states: State) -> Sequence[Intent]:
        """Returns the intents in these states, oldest first."""
        ...

    async def position(self) -> int:
        """Returns the number of the newest line, 0 before the first."""
        ...

    async def moved_since(self, position: int) -> Sequence[Intent]:
        """Returns the intents that changed their state after that line, in the order in which they entered their
        present one.
        """
        ...

    async def refused(self) -> Sequence[Intent]:
        """Returns the intents that the other side refused and no person has decided since, newest first, up to some
        hundreds.
        """
        ...

    async def due_checks(self, direction: Direction, now: float) -> Sequence[Intent]:
        """Returns doubts and reviews whose next check is due, in the order in which they became due."""
        ...

    async def unfinished(self, direction: Direction) -> Sequence[Intent]:
        """Returns confirmed intents that are not yet marked or seen, and rejected ones whose invoice does not show
        it.
        """
        ...

    async def canceled(self) -> Sequence[Intent]:
        """Returns confirmed payments to Precoro that the mirror shows as cancelled, unless their invoice has another
        unresolved intent.
        """
        ...

    async def last_accepted(self) -> tuple[float, bool] | None:
        """Returns when Precoro last answered a payment of ours with an id (Unix seconds), and whether it kept our id
        at once; None if it has accepted none.
        """
        ...

    async def of_invoice(self, direction: Direction, invoice_id: int) -> Sequence[Intent]: ...

    async def attempts(self, intent: str) -> Sequence[Attempt]: ...

    async def spent(self, direction: Direction, currency: str, since: float) -> Sequence[Decimal]:
        """Returns the amounts of the attempts since then that are not known to have created nothing."""
        ...

    async def trace(self, intent: str) -> Sequence[Line]:
        """Returns the whole journal of one intent, oldest first."""
        ...

    async def past(self, intent: str) -> Past:
        """Returns what happened to it so far, according to its journal."""
        ...
