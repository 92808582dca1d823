"""payments made in Precoro are recorded in the books, each once"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar

import anyio

from precoro_daemon.errors import (
    BadRecord,
    BudgetSpent,
    DaemonError,
    DoubtfulError,
    FatalError,
    NotFound,
    PermanentError,
    SendingStopped,
    StaleIntent,
    Stopped,
    TemporaryError,
)
from precoro_daemon.mirror.details import save_answer
from precoro_daemon.mirror.ports.mirror import Due, Mirror
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.payments.entry_reconciliation import lose, settle_entries, there
from precoro_daemon.payments.intake import Books, called, follow_entries, past_of, read_books
from precoro_daemon.payments.ports.gateway import PaymentGateway
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.ports.ledger import Entry
from precoro_daemon.payments.ports.paid_set import PaidInvoice, PaidSet
from precoro_daemon.payments.reconciliation import tell_refusals
from precoro_daemon.payments.recorder import Recorder, nothing_came
from precoro_daemon.payments.rules.caps import DAY, Caps, Spent, held_by
from precoro_daemon.payments.rules.exports import Known, Pending, Share, already, is_rest, shares, source_of
from precoro_daemon.payments.rules.intents import Attempt, Intent, asking
from precoro_daemon.payments.rules.invoices import Invoice, read_invoice
from precoro_daemon.payments.rules.matching import LedgerPayment
from precoro_daemon.payments.rules.transitions import UNRESOLVED, Event, State, external_id, intent_id
from precoro_daemon.runtime.job import LapReport, OncePerRound
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_SKEW = 60.0
"""Seconds by which the clocks of Precoro's own servers may differ. A payment of that minute is rather recorded than
taken for known unseen."""

_AT_ONCE = 100
"""Invoices read from the store at a time."""


@dataclass(frozen=True, slots=True)
class ExportPayments:
    """Compares which invoices are paid with which were; what is new goes through the journal into the books.

    adopt  at the first lap, what is paid already is taken as known
    """

    desk: PaymentGateway
    journal: Journal
    paid_set: PaidSet
    mirror: Mirror
    books: Books
    caps: Caps
    stopped: Callable[[], Awaitable[str]]
    adopt: bool = True
    rounds: OncePerRound = field(default_factory=OncePerRound, init=False)
    name: ClassVar[str] = "export_payments"

    async def due(self, now: float) -> bool:
        return self.rounds.due(now)

    async def lap(self) -> LapReport:
        lap = _Lap(self, Recorder(self.journal, self.books.clock))
        try:
            await lap.run()
        except (BudgetSpent, Stopped, FatalError) as error:
            lap.ended = error
        except StaleIntent as error:
            _log.info("payments_decided", reason=str(error))  # whose order it was wakes us for the rest
        self.rounds.lap_ended()
        return LapReport(brought=lap.recorder.moves, failed=lap.recorder.failed, ended=lap.ended)


@dataclass(slots=True)
class _Lap:
    job: ExportPayments
    recorder: Recorder
    sent: int = 0
    ended: DaemonError | None = None
    spent: dict[str, Decimal] = field(default_factory=dict)

    async def run(self) -> None:
        job = self.job
        for found in await settle_entries(job.journal, job.books.ledger, self.recorder):
            await self._have(found)
            if found.invoice_id is not None:
                await job.paid_set.again(found.invoice_id)  # its payment may be gone from Precoro by now
        adopted_at = await self._compare()
        if await self._read_books():
            if adopted_at is not None:
                await self._look_at_due(adopted_at)
            await self._send_planned()
        await tell_refusals(job.desk, job.journal, self.recorder, "to_ledger")

    async def _read_books(self) -> bool:
        """What somebody entered there by hand is not to be entered a second time."""
        books = self.job.books
        if not books.ledger.capabilities.reads:
            return True
        try:
            await read_books(books)
        except (TemporaryError, PermanentError) as error:
            self.recorder.failed.append(f"the books {books.ledger.name} could not be read: {error}")
            return False
        await follow_entries(books, self.recorder)
        return True

    async def _have(self, intent: Intent) -> None:
        if intent.remote_id is not None:
            await self.job.books.claims.recognise(intent.ledger, intent.remote_id)

    async def _compare(self) -> float | None:
        """Bring the set of paid invoices up to date; None while the mirror has not listed all invoices once."""
        job = self.job
        known_by = (await job.mirror.cursor("invoices")).at
        if known_by is None:
            return None
        adopted_at = await job.paid_set.adopted_at()
        first = adopted_at is None
        after: int | None = 0
        while after is not None:
            after, _ = await job.paid_set.compare(after, known=first and job.adopt)
        if adopted_at is None:
            # Not our own clock: a payment made since the list was read would count as known, and nobody had seen it.
            adopted_at = known_by - _SKEW if job.adopt else 0.0
            await job.paid_set.adopt(adopted_at)
        await job.paid_set.leave(job.books.clock.now())
        return adopted_at

    async def _look_at_due(self, adopted_at: float) -> None:
        """Every due invoice once: one that has to wait stays due for the next lap."""
        seen: set[int] = set()
        while fresh := [one for one in await self.job.paid_set.due(_AT_ONCE + len(seen)) if one.id not in seen]:
            for paid in fresh:
                seen.add(paid.id)
                try:
                    await self._look_at(paid, adopted_at)
                except (TemporaryError, PermanentError) as error:
                    self.recorder.failed.append(f"invoice {paid.idn}: {error}")

    async def _look_at(self, paid: PaidInvoice, adopted_at: float) -> None:
        invoice = await self._read(paid)
        exported = await self.job.journal.of_invoice("to_ledger", paid.id)
        if not paid.paid:
            _log.warning("invoice_reopened", invoice=paid.idn, id=paid.id, exported=len(exported))
        await self._follow(exported, invoice)
        waits = False
        if invoice is not None:
            known = await self._known(invoice, adopted_at, exported)
            found = shares(invoice, known)
            await self._follow_rests(exported, {share.source for share in found})
            for share in found:
                waits |= share.kind == "wait"
                if share.kind in ("plan", "hold"):
                    await self._plan(invoice, share)
        if not waits:
            await self.job.paid_set.done(paid)

    async def _read(self, paid: PaidInvoice) -> Invoice | None:
        """From the mirror if it has the detail; else one call. None: Precoro has it no more."""
        if paid.detail is not None:
            return read_invoice(paid.detail)
        if paid.idn is None:
            raise BadRecord("it has no number to ask for it by")
        asked_at = self.job.books.clock.now()
        try:
            fresh = await self.job.desk.read_invoice(paid.idn)
        except NotFound:
            return None
        if fresh.invoice.id != paid.id:
            # Another one of that number, parts of a split among them: what we know of this one is what the list says.
            return next(iter(await self.job.books.claims.candidates(paid.id, "id")), None)
        # The mirror wants this very detail too; fetched twice, it would cost two calls and a minute of waiting.
        due = Due("invoices", paid.id, paid.idn, paid.version)
        detail = Detail(paid.id, fresh.raw)
        await save_answer(self.job.mirror, self.job.books.clock, due, detail, asked_at=asked_at)
        return fresh.invoice

    async def _follow(self, exported: Sequence[Intent], invoice: Invoice | None) -> None:
        """A payment that is gone from Precoro is reported where the books have it, and not sent where they have not;
        nothing is undone."""
        if invoice is not None and invoice.payments is None:
            return
        standing = set() if invoice is None else {source_of(payment.id) for payment in invoice.standing}
        for intent in exported:
            if intent.source not in standing and not is_rest(intent):
                await self._withdraw(intent, f"{intent.source} no longer stands in Precoro")

    async def _withdraw(self, intent: Intent, said: str) -> None:
        """What may be in the books already is left to a person."""
        match intent.state:
            case State.CONFIRMED:
                await self.recorder.record(intent, Event.MISS, f"{said}; the books have it as {intent.remote_id}")
            case State.PLANNED | State.REVIEW if nothing_came(await self.job.journal.attempts(intent.id)):
                if intent.remote_id is None:
                    await self.recorder.record(intent, Event.WITHDRAW, said, told=True)
            case State.PLANNED | State.REVIEW if not intent.reason.startswith(said):
                await self.recorder.record(intent, Event.HOLD, f"{said}; {intent.reason}".strip("; "))

    async def _follow_rests(self, exported: Sequence[Intent], standing: Collection[str]) -> None:
        """Precoro shows now what it did not, or another sum."""
        for intent in exported:
            if is_rest(intent) and intent.state is State.REVIEW and intent.source not in standing:
                await self._withdraw(intent, "Precoro shows another sum by now")

    async def _known(self, invoice: Invoice, adopted_at: float, exported: Sequence[Intent]) -> Known:
        """An intent whose outcome is unknown may have made any payment that was not there before it."""
        job, pending = self.job, []
        ours = await job.journal.of_invoice("to_precoro", invoice.id)
        for intent in ours:
            if intent.state in UNRESOLVED:
                attempts = await job.journal.attempts(intent.id)
                pending += [Pending(one.amount, attempts[0].known) for one in attempts]
        claims = await self._claims(invoice)
        # Also what an earlier life of the store has sent: it derived the same names.
        derived = [intent_id(job.books.company, job.books.ledger.name, claim.key, invoice.id) for claim in claims]
        return Known(
            made={int(intent.remote_id) for intent in ours if intent.remote_id is not None},
            names={name for intent in derived for name in (intent, external_id(intent, "number"))},
            pending=pending,
            claims=await self._foreign(claims, invoice, exported),
            adopted_at=adopted_at,
            rests=[one.amount for one in exported if is_rest(one) and await self._is_decided(one)],
        )

    async def _is_decided(self, rest: Intent) -> bool:
        if rest.state is not State.REJECTED:
            return rest.state is not State.REVIEW or rest.remote_id is not None
        return (await past_of(self.job.journal, rest)).last is not Event.WITHDRAW

    async def _claims(self, invoice: Invoice) -> Sequence[LedgerPayment]:
        books = self.job.books
        name = called(invoice, books.match_by)
        return [] if name is None else await books.claims.named(books.ledger.name, name)

    async def _foreign(
        self, claims: Sequence[LedgerPayment], invoice: Invoice, exported: Sequence[Intent]
    ) -> Sequence[LedgerPayment]:
        """Without what is known to be a payment of ours, here or at Precoro."""
        ours = await self.job.journal.of_invoice("to_precoro", invoice.id)
        settled = {intent.source for intent in ours if intent.state is State.CONFIRMED}
        settled |= {intent.remote_id for intent in exported if intent.remote_id is not None}
        return [claim for claim in claims if claim.key not in settled and claim.ours is None]

    async def _plan(self, invoice: Invoice, share: Share) -> None:
        books = self.job.books
        day = None if share.payment is None else share.payment.day
        draft = Intent(
            id=intent_id(books.company, books.ledger.name, share.source, invoice.id),
            direction="to_ledger",
            ledger=books.ledger.name,
            source=share.source,
            amount=share.amount,
            currency=invoice.currency,
            day=day or datetime.fromtimestamp(books.clock.now(), UTC).date(),
            invoice_id=invoice.id,
            invoice_idn=invoice.idn,
            supplier=invoice.supplier.name,
        )
        event = Event.PLAN if share.kind == "plan" else Event.HOLD
        await self.recorder.plan(draft, event, share.reason, facts=asking(share.about) if share.about else None)

    async def _send_planned(self) -> None:
        job = self.job
        planned = await job.journal.in_state("to_ledger", State.PLANNED)
        switch = await job.journal.switch()
        if planned and not switch.armed:
            _log.warning("payments_suspended", count=len(planned), reason=switch.reason)
            return
        for intent in planned:
            try:
                await self._send(intent)
            except SendingStopped as error:
                _log.warning("payments_suspended", count=len(planned), reason=str(error))
                return
            except (TemporaryError, PermanentError, StaleIntent) as error:
                self.recorder.failed.append(f"{intent}: {error}")

    async def _send(self, intent: Intent) -> None:
        if reason := await self.job.stopped():
            raise SendingStopped(reason)
        if reason := await self._held(intent):
            if reason != intent.reason:
                await self.recorder.record(intent, Event.LOOK, reason)
            return
        assert intent.invoice_id is not None
        invoices = await self.job.books.claims.candidates(intent.invoice_id, "id")
        if not invoices:
            await self.recorder.record(intent, Event.HOLD, "the invoice is gone from Precoro")
            return
        if not await self._stands_apart(intent, invoices[0]):
            return
        await self._record(intent, entry_of(intent, invoices[0]))

    async def _stands_apart(self, intent: Intent, invoice: Invoice) -> bool:
        """By the mirror and the books of now: much may have happened while it waited."""
        job = self.job
        payment = None if is_rest(intent) else await job.books.claims.mirrored_payment(payment_of(intent))
        if payment is not None and payment.canceled:
            await self._withdraw(intent, f"{intent.source} was cancelled in Precoro")
            return False
        claims = await self._claims(invoice)
        if mine := [claim for claim in claims if claim.ours == intent.id]:
            said = "the books have it already, under our key"
            await self._have(await self.recorder.record(intent, Event.FIND, said, **there(mine[0].key)))
            return False
        if intent.doubted:
            return True  # the equal one is likely ours; a repeat makes nothing new, or it would not be planned
        exported = await job.journal.of_invoice("to_ledger", invoice.id)
        other = (await past_of(job.journal, intent)).other
        foreign = await self._foreign(claims, invoice, exported)
        equal = [claim for claim in foreign if claim.amount == intent.amount and claim.key not in other]
        if equal:
            await self.recorder.record(intent, Event.HOLD, already(equal, invoice), asking(one.key for one in equal))
        return not equal

    async def _held(self, intent: Intent) -> str:
        if intent.currency not in self.spent:
            since = self.job.books.clock.now() - DAY
            amounts = await self.job.journal.spent("to_ledger", intent.currency, since)
            self.spent[intent.currency] = sum(amounts, Decimal(0))
        return held_by(self.job.caps, intent.amount, Spent(self.spent[intent.currency], self.sent))

    async def _record(self, intent: Intent, entry: Entry) -> None:
        """From the permit on, every way out leaves a row, as on the way to Precoro."""
        attempt = Attempt(intent.id, intent.attempts + 1, self.job.books.clock.now(), intent.amount)
        begun = await self.recorder.begin(intent, attempt, {})
        self.sent += 1
        try:
            key = await self.job.books.ledger.create(entry)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await lose(self.recorder, begun, "cancelled while it was being recorded")
            raise
        except DaemonError as error:
            await self._settle_failure(begun, error)
            return
        self.spent[intent.currency] += intent.amount
        await self._have(await self.recorder.end(begun, "accepted", Event.ACCEPT, "", **there(key)))

    async def _settle_failure(self, intent: Intent, error: DaemonError) -> None:
        """By the port's word: temporary and fatal failures wrote nothing, a permanent one refuses this payment."""
        attempts = await self.job.journal.attempts(intent.id)
        if isinstance(error, DoubtfulError):
            self.spent[intent.currency] += intent.amount
            await lose(self.recorder, intent, str(error))
        elif isinstance(error, PermanentError) and nothing_came(attempts[:-1]):
            await self.recorder.end(intent, "refused", Event.REFUSE, str(error))
        elif isinstance(error, PermanentError):
            await lose(self.recorder, intent, str(error))
        else:
            await self.recorder.end(intent, "unsent", Event.UNSENT, str(error))
            raise error


def payment_of(intent: Intent) -> str:
    """Precoro's id of the payment that it was made from."""
    return intent.source.removeprefix("payment:")


def entry_of(intent: Intent, invoice: Invoice) -> Entry:
    return Entry(
        key=intent.id,
        amount=intent.amount,
        currency=intent.currency,
        paid_on=intent.day,
        payment_id=None if is_rest(intent) else int(payment_of(intent)),
        invoice_id=invoice.id,
        invoice_idn=str(invoice.idn or ""),
        invoice_number=invoice.number,
        invoice_external_id=invoice.external_id or "",
        supplier_id=invoice.supplier.id,
        supplier_name=invoice.supplier.name,
    )
