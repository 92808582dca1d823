"""what paying must not forget: intents, attempts, the append-only journal"""

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
    """One row of the journal; `intent` is "" for what concerns all of them.

    reason, facts  for people alone: nothing is decided by them
    dialogue       what a person was asked or has said
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
    """An intent that is to begin, the step by which it does, and the payment of the ledger that it carries."""

    new: Intent
    step: Step
    payment: LedgerPayment | None = None


class Journal(Protocol):
    """Intents, attempts and the append-only journal. One writer.

    Every method that writes is one transaction, durable when it returns; cancellation leaves it done or not begun.
    An intent that is no longer in the state it was read in is not moved: StaleIntent. Raises StoreUnusable when the
    disk is full, read-only or the file damaged.
    """

    async def prepare(self) -> None:
        """Once before anything else, in every process: what a mirror without payments does without."""
        ...

    async def switch(self) -> Switch:
        """A store that is new, was restored from a copy or moved is not armed, whatever it says of itself."""
        ...

    async def arm(self, at: float) -> None: ...

    async def disarm(self, at: float, reason: str) -> None: ...

    async def plan(self, new: Intent, step: Step, payment: LedgerPayment | None = None) -> Intent | None:
        """Begin an intent, and note that it carries that payment of the ledger as it was judged: all or nothing.

        One that was withdrawn begins anew. One that was refused or dropped does so only for a payment that no intent
        carries, and a person is asked. None, and nothing is written, if it is there in any other state, or if another
        one of its invoice is unresolved (in the direction to Precoro).
        """
        ...

    async def plan_many(self, beginnings: Sequence[Beginning]) -> Sequence[Intent | None]:
        """`plan` for each, in their order, in one transaction; what came of each, in the same order.

        Of two for one invoice the second meets the first one unresolved. What is raised for one takes all of them
        back.
        """
        ...

    async def replace(
        self, intent: Intent, step: Step, new: Intent, begin: Step, payment: LedgerPayment
    ) -> Intent | None:
        """Move an intent and begin another one, which carries the same payment of the ledger: all or nothing, as with
        `plan`, but by a person's word, so that one that was dropped begins anew."""
        ...

    async def record(
        self, intent: Intent, step: Step, payment: LedgerPayment | None = None, *, link: Link = "carries"
    ) -> Intent:
        """Move an intent, with a row of the journal; and note how it stands to the payment from now on. All or
        nothing.

        carries: to the payment as it is given · frees: not any more · unsettles: what the payment says next is a
        change
        """
        ...

    async def begin(self, intent: Intent, attempt: Attempt, step: Step) -> Intent:
        """The permit to send: attempt, state and journal row, on disk when it returns, and so is the restore guard
        that tells a restored store from this one. Raises SendingStopped where payments are not armed (any more)."""
        ...

    async def end(self, intent: Intent, step: Step) -> Intent:
        """Move an intent whose last attempt came to the outcome that belongs to the event (`OUTCOMES`)."""
        ...

    async def intent(self, prefix: str) -> Sequence[Intent]:
        """Those whose id begins so."""
        ...

    async def in_state(self, direction: Direction, *states: State) -> Sequence[Intent]:
        """Oldest first."""
        ...

    async def position(self) -> int:
        """The number of the newest line, 0 before the first."""
        ...

    async def moved_since(self, position: int) -> Sequence[Intent]:
        """Those that changed their state behind that line, in the order in which they came to their present one."""
        ...

    async def refused(self) -> Sequence[Intent]:
        """What the other side refused and nobody has decided since, the newest first; the first hundreds."""
        ...

    async def due_checks(self, direction: Direction, now: float) -> Sequence[Intent]:
        """Doubts and reviews whose next check is due by now, in the order in which they fell due."""
        ...

    async def unfinished(self, direction: Direction) -> Sequence[Intent]:
        """Confirmed ones not yet marked or seen, and rejected ones whose invoice does not show it."""
        ...

    async def canceled(self) -> Sequence[Intent]:
        """Confirmed payments to Precoro that the mirror shows as cancelled, unless their invoice has another
        unresolved intent."""
        ...

    async def last_accepted(self) -> tuple[float, bool] | None:
        """When Precoro last answered a payment of ours with an id (Unix seconds), and whether it kept our id at once;
        None: it has taken none that bears it."""
        ...

    async def of_invoice(self, direction: Direction, invoice_id: int) -> Sequence[Intent]: ...

    async def attempts(self, intent: str) -> Sequence[Attempt]: ...

    async def spent(self, direction: Direction, currency: str, since: float) -> Sequence[Decimal]:
        """Amounts of the attempts since then that are not known to have come to nothing."""
        ...

    async def trace(self, intent: str) -> Sequence[Line]:
        """The whole journal of one intent, oldest first."""
        ...

    async def past(self, intent: str) -> Past:
        """What became of it so far, by its journal."""
        ...
