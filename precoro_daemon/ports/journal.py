"""what paying must not forget: intents, their journal, the claims of the books, the paid set"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

from precoro_daemon.domain.intents import Attempt, Intent, Step
from precoro_daemon.domain.invoices import Invoice, Payment
from precoro_daemon.domain.matching import Claim, MatchBy, Paid
from precoro_daemon.domain.payments import Direction, State
from precoro_daemon.ports.ledger import Undone

Bond = Literal["carries", "frees", "unsettles"]


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether anything may be sent, and why not."""

    armed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the journal; `intent` is "" for what concerns all of them."""

    seq: int
    at: float
    intent: str
    event: str
    source: str
    target: str
    attempt: int
    reason: str
    facts: Mapping[str, str]


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

    async def plan(self, draft: Intent, step: Step, claim: Claim | None = None) -> Intent | None:
        """Begin an intent, and note that it carries that payment of the books as it was judged: all or nothing.

        One that was withdrawn begins anew. One that was refused or dropped does so only for a payment that no intent
        carries, and a person is asked. None, and nothing is written, if it is there in any other state, or if another
        one of its invoice is unresolved (in the direction to Precoro).
        """
        ...

    async def replace(self, intent: Intent, step: Step, draft: Intent, begin: Step, claim: Claim) -> Intent | None:
        """Move an intent and begin another one, which carries the same payment of the books: all or nothing, as with
        `plan`, but by a person's word, so that one that was dropped begins anew."""
        ...

    async def record(
        self, intent: Intent, step: Step, claim: Claim | None = None, *, bond: Bond = "carries"
    ) -> Intent:
        """Move an intent, with a row of the journal; and note how it stands to the claim from now on: all or nothing.

        carries: to the claim as it is given · frees: not any more · unsettles: what the claim says next is a change
        """
        ...

    async def begin(self, intent: Intent, attempt: Attempt, step: Step) -> Intent:
        """The permission to send: attempt, state and journal row, on disk when it returns, and so is the witness that
        tells a restored store from this one. Raises SendingStopped where payments are not armed (any more)."""
        ...

    async def end(self, intent: Intent, outcome: str, step: Step) -> Intent:
        """Move an intent whose last attempt came to this outcome."""
        ...

    async def intent(self, prefix: str) -> Sequence[Intent]:
        """Those whose id begins so."""
        ...

    async def in_state(self, direction: Direction, *states: State) -> Sequence[Intent]:
        """Oldest first."""
        ...

    async def due_looks(self, direction: Direction, now: float) -> Sequence[Intent]:
        """Doubts and reviews that are to be looked for by now, in the order in which they fell due."""
        ...

    async def unfinished(self, direction: Direction) -> Sequence[Intent]:
        """Confirmed ones not yet marked or seen, and rejected ones whose invoice does not tell so."""
        ...

    async def canceled(self) -> Sequence[Intent]:
        """Confirmed payments to Precoro that the mirror shows as cancelled, unless their invoice has another
        unresolved intent."""
        ...

    async def of_invoice(self, direction: Direction, invoice_id: int) -> Sequence[Intent]: ...

    async def attempts(self, intent: str) -> Sequence[Attempt]: ...

    async def spent(self, direction: Direction, currency: str, since: float) -> Sequence[Decimal]:
        """Amounts of the attempts since then that are not known to have come to nothing."""
        ...

    async def trace(self, intent: str) -> Sequence[Line]:
        """The whole journal of one intent, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Meeting:
    """A claim and what it may be for.

    candidates  the invoices Precoro still has that bear the name, as the mirror has them
    others      what was sent or is being sent for the only candidate
    exports     payments that we made in the books for it, or may have made, and that did not come back from there so
                far: one of them may be this very claim
    """

    claim: Claim
    candidates: Sequence[Invoice]
    others: Sequence[Paid] = ()
    exports: Sequence[Intent] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """An intent, and what the books now say of its payment. `dropped`: a person does not want it sent; `moved`: the
    books call the invoice otherwise than before."""

    intent: Intent
    claim: Claim
    dropped: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Carried:
    """A payment of the books as last read.

    intent   which one carries it; None: none does
    changed  it says something else than its intent carries
    misread  why its row cannot be read now, "" if it can
    moved    the books call the invoice otherwise than its intent knows
    """

    claim: Claim
    intent: str | None
    changed: bool
    misread: str = ""
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Misread:
    """A row of the books that is no payment we can read."""

    key: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Some of the books, to be kept. `position` is where reading goes on."""

    claims: Sequence[Claim]
    misread: Sequence[Misread]
    position: str
    undone: Sequence[Undone] = ()


class Claims(Protocol):
    """What the books claim was paid, as last read. Writing and failing as for `Journal`."""

    async def position(self, ledger: str) -> str | None: ...

    async def take_in(self, ledger: str, reading: Reading, at: float) -> int:
        """Claims and position, all or nothing; how many are new or changed. What we made ourselves is noted so."""
        ...

    async def meetings(self, ledger: str, by: MatchBy) -> Sequence[Meeting]:
        """Claims that no intent carries and for which the mirror has an invoice that can be paid, and those that
        take something back; oldest first. Without those whose row cannot be read now."""
        ...

    async def changed(self, ledger: str) -> Sequence[Changed]:
        """Intents whose claim says something else by now: planned ones, confirmed ones, and of those that were held,
        refused, dropped or taken back by the books the ones of which nothing can be at Precoro."""
        ...

    async def carried(self, ledger: str, key: str) -> Carried | None:
        """The claim of that key; None if the books never had it."""
        ...

    async def changed_entries(self, ledger: str) -> Sequence[Changed]:
        """The same for what we made in the books."""
        ...

    async def recognise(self, ledger: str, key: str) -> None:
        """If the claim is what a confirmed intent made in the books, that intent carries it."""
        ...

    async def candidates(self, invoice_id: int, by: MatchBy) -> Sequence[Invoice]:
        """The invoice and those that bear its name, as the mirror has them."""
        ...

    async def accept(self, ledger: str, claim: Claim) -> None:
        """What the claim says is what its intent carries."""
        ...

    async def free(self, ledger: str, key: str) -> None:
        """No intent carries the claim any more."""
        ...

    async def named(self, ledger: str, name: str) -> Sequence[Claim]:
        """The claims for the invoice that the books call so."""
        ...

    async def enriched(self, invoice: Invoice) -> Invoice:
        """The invoice with what the mirror knows of its supplier."""
        ...

    async def mirrored_payment(self, remote_id: str) -> Payment | None:
        """A payment as the mirror has it; None if it does not have it."""
        ...

    async def payments_called(self, idn: str) -> Sequence[Payment]:
        """Payments of that number, which is not their id, as the mirror has them."""
        ...

    async def waiting(self, ledger: str) -> int:
        """How many claims no intent carries."""
        ...

    async def misread(self, ledger: str) -> Sequence[Misread]: ...


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """An invoice whose payments are to be looked at.

    detail   its full JSON where the mirror has it up to date
    paid     it is among the paid and partly paid ones; False: it has left them
    version  what the mirror had when this was read
    """

    id: int
    idn: int | str | None
    detail: str | None
    paid: bool
    version: bytes = field(default=b"", repr=False)


class PaidSet(Protocol):
    """Which invoices were paid or partly paid when we last looked. Writing and failing as for `Journal`."""

    async def adopted_at(self) -> float | None:
        """When the set was first taken; what was paid before is known. None: never."""
        ...

    async def adopt(self, at: float) -> None:
        """Set that time, once; a second call changes nothing."""
        ...

    async def compare(self, after: int, *, known: bool) -> tuple[int | None, int]:
        """Take in one page of the paid and partly paid invoices with an id above `after`: new and changed ones become
        due (`known`: they are taken as they are). Where the next page begins, None after the last; how many were new
        or changed."""
        ...

    async def leave(self, at: float) -> int:
        """Invoices that are no longer among them become due, each once; how many."""
        ...

    async def due(self, limit: int) -> Sequence[PaidInvoice]: ...

    async def again(self, invoice_id: int) -> None:
        """It is due once more, whatever the mirror says."""
        ...

    async def done(self, invoice: PaidInvoice) -> None:
        """Its payments are in the journal; it is due again when it changes."""
        ...
