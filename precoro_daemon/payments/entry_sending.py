"""checks one planned payment once more, and records it in the ledger"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from precoro_daemon.errors import DaemonError, PermanentError, SendingStopped, SeveralFound
from precoro_daemon.payments.entry_reconciliation import lose, refer
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.ports.ledger import Entry
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.entries import short_key
from precoro_daemon.payments.rules.events import Accept, Differ, Find, Hold, Miss, Postpone, Refuse, Unsent, Withdraw
from precoro_daemon.payments.rules.exports import already, asked_about
from precoro_daemon.payments.rules.history import terms_of
from precoro_daemon.payments.rules.intents import Attempt, Intent, made_nothing
from precoro_daemon.payments.rules.invoices import Invoice
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
from precoro_daemon.payments.rules.matching import MatchBy
from precoro_daemon.payments.rules.obstacles import Obstacle, ObstacleKind, obstacle
from precoro_daemon.payments.rules.open_bills import judge_bill, known_open
from precoro_daemon.payments.rules.receipts import Receipt, fault, usable_id
from precoro_daemon.payments.rules.sources import LedgerSource, PrecoroPayment
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.payments.spending import Spending
from precoro_daemon.writes.outcome import Outcome, OutcomeKind, outcome_by_contract
from precoro_daemon.writes.permit import Permit
from precoro_daemon.writes.sending import write_once


@dataclass(frozen=True, slots=True)
class EntrySender:
    """Records planned payments in the ledger, for one lap.

    stopped  returns why the kill-switch file forbids sending, "" if there is none
    """

    journal: Journal
    access: LedgerAccess
    recorder: Recorder
    spending: Spending
    stopped: Callable[[], Awaitable[str]]

    async def send(self, intent: Intent) -> None:
        """Sends one payment. Raises SendingStopped, and errors that also keep every other payment from the ledger."""
        if reason := await self.stopped():
            raise SendingStopped(reason)
        if (cap := await self.spending.obstacle(intent.currency, intent.amount)) is not None:
            if cap != intent.obstacle:
                await self.recorder.record(intent, Postpone(cap), str(cap))
            return
        assert intent.invoice_id is not None
        invoices = await self.access.payments.candidates(intent.invoice_id, "id")
        if not invoices:
            await self.recorder.record(intent, Hold(), "the invoice is gone from Precoro")
        elif await self._is_wanted(intent, invoices[0]) and await self._fits_bill(intent, invoices[0]):
            await self._create(
                intent, entry_of(intent, invoices[0], self.access.match_by), self.access.name_of(invoices[0])
            )

    async def _is_wanted(self, intent: Intent, invoice: Invoice) -> bool:
        try:
            return await self._stands_apart(intent, invoice)
        except SeveralFound as error:
            await refer(self.recorder, intent, error)
            return False

    async def recognise(self, intent: Intent) -> None:
        """Links the payment that we created to its intent, once the ledger returns it."""
        if intent.remote_id is not None:
            await self.access.payments.recognise(intent.ledger, intent.remote_id)

    async def _stands_apart(self, intent: Intent, invoice: Invoice) -> bool:
        """Returns whether the payment may still be recorded: it was not cancelled at Precoro, and the ledger neither
        has it nor one like it. Records the finding if it may not.
        """
        if await self._is_canceled(intent):
            canceled = obstacle(ObstacleKind.SOURCE_CANCELED, intent.source)
            await withdraw(self.journal, self.recorder, intent, canceled)
            return False
        payments = await self.access.for_invoice(invoice)
        if mine := [payment for payment in payments if payment.ours in (intent.id, short_key(intent.id))]:
            said = "the ledger has it already, under our key"
            await self.recognise(await self.recorder.record(intent, Find(mine[0].key), said))
            return False
        if intent.doubted:
            return await self._is_absent(
                intent, invoice
            )  # an equal one is probably ours; a repeat creates nothing new, else it would not be planned
        other = (await self.journal.past(intent.id)).other
        others = [payment for payment in await self._foreign(invoice) if payment.key not in other]
        if equal := [payment for payment in others if payment.amount == intent.amount]:
            await self.recorder.record(intent, Hold(asked_about(equal)), already(equal, invoice))
        return not equal

    async def _is_absent(self, intent: Intent, invoice: Invoice) -> bool:
        """Returns whether the ledger does not have what an earlier attempt may have recorded. This is searched only
        if bills are read, because a recorded payment is no longer open on its bill.
        """
        capabilities = self.access.ledger.capabilities
        if not capabilities.bills or capabilities.lookup == "none":
            return True
        if (receipt := await self.access.ledger.find(intent.id)) is None:
            return True
        if why := fault(receipt, terms_of(intent), self.access.name_of(invoice)):
            await self.recorder.record(
                intent, Differ(usable_id(receipt.key)), f"found in the ledger by our key, but {why}"
            )
        else:
            await self.recognise(
                await self.recorder.record(intent, Find(receipt.key), "found in the ledger by our key")
            )
        return False

    async def _fits_bill(self, intent: Intent, invoice: Invoice) -> bool:
        """Returns whether the bill has enough open now: people, bank lines and other programs pay bills too."""
        ledger = self.access.ledger
        if not ledger.capabilities.bills:
            return True
        bill = await ledger.bill(entry_of(intent, invoice, self.access.match_by))
        elsewhere = [payment.amount for payment in await self._foreign(invoice) if payment.amount > 0]
        expected = known_open(invoice, intent.amount, elsewhere)
        answered = (await self.journal.past(intent.id)).other
        event, why = judge_bill(terms_of(intent), bill, expected, answered)
        if event is not None and (isinstance(event, Hold) or event.obstacle != intent.obstacle):
            await self.recorder.record(intent, event, why)
        return event is None

    async def _foreign(self, invoice: Invoice) -> Sequence[LedgerPayment]:
        exported = await self.journal.of_invoice(Direction.TO_LEDGER, invoice.id)
        ours = await self.journal.of_invoice(Direction.TO_PRECORO, invoice.id)
        return foreign(await self.access.for_invoice(invoice), ours, exported)

    async def _is_canceled(self, intent: Intent) -> bool:
        if not isinstance(intent.source, PrecoroPayment):
            return False
        payment = await self.access.payments.mirrored_payment(str(intent.source.id))
        return payment is not None and payment.canceled

    async def _create(self, intent: Intent, entry: Entry, bill: str | None) -> None:
        """Creates the entry. `bill`: the ledger's name for the bill, None if unknown."""

        async def begin(_: str) -> Intent:
            if reason := await self.stopped():  # much may have changed during the requests to the ledger
                raise SendingStopped(reason)
            attempt = Attempt(intent.id, intent.attempts + 1, self.access.clock.now(), intent.amount)
            begun = await self.recorder.begin(intent, attempt, {})
            self.spending.sent += 1
            return begun

        several: list[SeveralFound] = []

        async def send(permit: Permit) -> Outcome[Receipt]:
            given = False

            async def obtain(body: str) -> None:
                nonlocal given
                await permit(body)
                given = True

            try:
                return Outcome(OutcomeKind.ACCEPTED, result=await self.access.ledger.create(entry, obtain))
            except DaemonError as error:
                if not given and not isinstance(error, PermanentError):
                    raise
                if not given:
                    await permit("")  # a refusal during the preparation is an outcome, too
                several.extend([error] if isinstance(error, SeveralFound) else [])
                return outcome_by_contract(error)

        begun, outcome = await write_once(begin, send, partial(lose, self.recorder))
        if several:
            await refer(self.recorder, begun, several[0])
        else:
            await self._settle(begun, outcome, bill)

    async def _settle(self, intent: Intent, outcome: Outcome[Receipt], bill: str | None) -> None:
        """Records the outcome. A refusal proves that there is no payment only if no earlier attempt may have recorded
        it.
        """
        if outcome.kind in (OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN):
            self.spending.add(intent.currency, intent.amount)
        attempts = await self.journal.attempts(intent.id)
        if outcome.kind is OutcomeKind.ACCEPTED and outcome.result is not None:
            await self._settle_accepted(intent, outcome.result, bill)
        elif outcome.kind is OutcomeKind.UNSENT:
            await self.recorder.end(intent, Unsent(), outcome.text)
        elif outcome.kind is OutcomeKind.REFUSED and made_nothing(attempts[:-1]):
            await self.recorder.end(intent, Refuse(), outcome.text)
        else:
            await lose(self.recorder, intent, outcome.text)
        if outcome.ended is not None:
            raise outcome.ended

    async def _settle_accepted(self, intent: Intent, receipt: Receipt, bill: str | None) -> None:
        assert intent.invoice_id is not None
        exported = await self.journal.of_invoice(Direction.TO_LEDGER, intent.invoice_id)
        other = next((one for one in exported if one.remote_id == receipt.key and one.id != intent.id), None)
        if why := fault(receipt, terms_of(intent), bill):
            await self.recorder.end(intent, Differ(usable_id(receipt.key)), why)
        elif other is not None:
            said = f"the ledger answered with {receipt.key}, which is {other}: look whether it has both"
            await self.recorder.end(intent, Differ(None), said)
        else:
            await self.recognise(await self.recorder.end(intent, Accept(receipt.key, seen=True), ""))


async def withdraw(journal: Journal, recorder: Recorder, intent: Intent, why: Obstacle) -> None:
    """Withdraws an intent whose payment no longer exists at Precoro. If the ledger may have it already, a person
    decides.
    """
    said = str(why)
    match intent.state:
        case State.CONFIRMED:
            await recorder.record(intent, Miss(), f"{said}; the ledger has it as {intent.remote_id}")
        case State.PLANNED | State.REVIEW if made_nothing(await journal.attempts(intent.id)):
            if intent.remote_id is None:
                await recorder.record(intent, Withdraw(), said)
        case State.PLANNED | State.REVIEW if intent.obstacle != why:
            await recorder.record(intent, Hold(obstacle=why), f"{said}; {intent.reason}".strip("; "))


def foreign(
    payments: Sequence[LedgerPayment], ours: Sequence[Intent], exported: Sequence[Intent]
) -> Sequence[LedgerPayment]:
    """Returns the payments without those known to be ours, here or at Precoro."""
    settled = {
        str(one.source) for one in ours if one.state is State.CONFIRMED and isinstance(one.source, LedgerSource)
    }
    settled |= {one.remote_id for one in exported if one.remote_id is not None}
    return [payment for payment in payments if payment.key not in settled and payment.ours is None]


def entry_of(intent: Intent, invoice: Invoice, by: MatchBy) -> Entry:
    """Returns the entry for an intent.

    by  if the ledger identifies bills by ids that a connector left at Precoro, that id is sent as the external one
    """
    return Entry(
        key=intent.id,
        amount=intent.amount,
        currency=intent.currency,
        paid_on=intent.day,
        payment_id=intent.source.id if isinstance(intent.source, PrecoroPayment) else None,
        invoice_id=invoice.id,
        invoice_idn=str(invoice.idn or ""),
        invoice_number=invoice.number,
        invoice_external_id=dict(invoice.imported).get(by) or invoice.external_id or "",
        supplier_id=invoice.supplier.id,
        supplier_name=invoice.supplier.name,
    )
