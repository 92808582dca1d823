"""resolves doubts about payments to Precoro by checking the invoice, never by sending"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from precoro_daemon.errors import NotFound, PermanentError, TemporaryError
from precoro_daemon.payments.ports.gateway import Fresh, PaymentGateway
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.ports.ledger_payments import LedgerPayments
from precoro_daemon.payments.recorder import Recorder, others_unresolved
from precoro_daemon.payments.rules.doubts import Doubt, Repost, check_again, judge
from precoro_daemon.payments.rules.events import Find, Lose, Miss
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.invoices import Invoice, Payment
from precoro_daemon.payments.rules.states import MADE_NOTHING, Direction, State
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.values.money import ROUNDING_CENT, plain
from precoro_daemon.writes.checks import next_check


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Finds out what happened to payments to Precoro. A check that fails now is repeated in the next lap.

    naming  the form of our id at Precoro
    """

    gateway: PaymentGateway
    journal: Journal
    payments: LedgerPayments
    clock: Clock
    repost: Repost = "never"
    naming: Literal["uuid", "number"] = "uuid"

    async def recover(self, recorder: Recorder) -> None:
        """Moves the payments that were being sent when the program ended into doubt, because their answers were
        lost.
        """
        for intent in await self.journal.in_state(Direction.TO_PRECORO, State.SENDING):
            await self.lose(recorder, intent, "the program ended before the answer came")

    async def lose(self, recorder: Recorder, intent: Intent, reason: str) -> Intent:
        """Records that the outcome of the last attempt is unknown."""
        attempts = await self.journal.attempts(intent.id)
        check_at = next_check(attempts[-1].at, 0, self.clock.now())
        return await recorder.end(intent, Lose(check_at), reason)

    async def check_doubts(self, recorder: Recorder) -> None:
        """Checks every intent whose check is due."""
        for intent in await self.journal.due_checks(Direction.TO_PRECORO, self.clock.now()):
            try:
                await self._check(recorder, intent)
            except (TemporaryError, PermanentError) as error:
                recorder.failed.append(f"{intent}: could not be checked: {error}")

    async def _check(self, recorder: Recorder, intent: Intent) -> None:
        fresh = await self.read(intent)
        doubt = await self._doubt(intent)
        invoice = None if fresh is None else fresh.invoice
        now = self.clock.now()
        if intent.state is State.DOUBT:
            ruling = judge(doubt, invoice, now, self.repost)
        else:
            ruling = check_again(doubt, invoice, now)
        if isinstance(ruling.event, Payment):
            after = await recorder.end(intent, found(ruling.event, intent), ruling.reason)
            await compare(recorder, after, ruling.event)
        else:
            await recorder.record(intent, ruling.event, ruling.reason, facts_of(fresh))
        if ruling.alarm:
            recorder.alarm(intent, ruling.reason)

    async def read(self, intent: Intent) -> Fresh | None:
        """Returns the invoice as it is now; None if Precoro no longer has it, or has another one under its number."""
        assert intent.invoice_id is not None
        mirrored = await self.payments.candidates(intent.invoice_id, "id")
        # The invoice may have another number by now.
        idn = next((one.idn for one in mirrored if one.idn is not None), intent.invoice_idn)
        if idn is None:
            raise PermanentError(f"{intent}: the invoice has no number to ask for it by")
        try:
            fresh = await self.gateway.read_invoice(idn)
        except NotFound:
            return None
        return fresh if fresh.invoice.id == intent.invoice_id else None

    async def ours(self, intent: Intent) -> frozenset[int]:
        """Returns the ids of the invoice's payments that other intents created."""
        assert intent.invoice_id is not None
        others = await self.journal.of_invoice(Direction.TO_PRECORO, intent.invoice_id)
        return frozenset(int(one.remote_id) for one in others if one.remote_id is not None and one.id != intent.id)

    async def _doubt(self, intent: Intent) -> Doubt:
        """Returns the doubt about an intent. Any payment that is newer than the first attempt that may have created
        one can be the one in doubt.
        """
        attempts = [one for one in await self.journal.attempts(intent.id) if one.outcome not in MADE_NOTHING]
        first, last = attempts[0], attempts[-1]
        return Doubt(last.amount, intent.names, first.known, await self.ours(intent), last.at, intent.checks)


async def compare(recorder: Recorder, intent: Intent, payment: Payment | None) -> bool:
    """Returns whether Precoro's payment equals the ledger's. They may differ if it was created before the ledger
    changed.

    One that differs is left to a person, unless another intent of the invoice is unresolved.
    """
    if payment is None or not (why := _difference(payment, intent)):
        return True
    if not await others_unresolved(recorder.journal, intent):
        await recorder.record(intent, Miss(), why)
    return False


def _difference(payment: Payment, intent: Intent) -> str:
    """Returns how Precoro's payment differs from the ledger's, for people. The day is not compared: a time zone may
    shift it.
    """
    if payment.amount is not None and abs(payment.amount - intent.amount) > ROUNDING_CENT:
        return f"Precoro has {plain(payment.amount)}, the ledger has {plain(intent.amount)}"
    if payment.currency not in ("", intent.currency):
        return f"Precoro has {payment.currency}, the ledger has {intent.currency}"
    if payment.invoice_id not in (None, intent.invoice_id):
        return f"Precoro has it on the invoice with id {payment.invoice_id}"
    return ""


def found(payment: Payment, intent: Intent) -> Find:
    """Returns the event for a payment that was found under our id. One that differs is checked once more later."""
    return Find(str(payment.id), payment.idn, seen=not _difference(payment, intent))


def facts_of(fresh: Fresh | None) -> Mapping[str, str]:
    if fresh is None:
        return {"invoice": "gone"}
    return facts_on(fresh.invoice) | {"server_time": str(fresh.server_time)}


def facts_on(invoice: Invoice) -> dict[str, str]:
    """Returns what was read of the invoice, for a person who must decide."""
    payments: Sequence[Payment] = invoice.payments or ()
    shown = [
        f"{one.id}: {'?' if one.amount is None else plain(one.amount)} on {one.day}"
        + (" cancelled" if one.canceled else "")
        + (f" called {one.external_id}" if one.external_id else "")
        for one in payments
    ]
    remainder = "?" if invoice.remainder is None else plain(invoice.remainder)
    return {"remainder": remainder, "status": str(invoice.status), "payments": "; ".join(shown) or "none"}
