"""doubts about payments to Precoro are settled by looking, and loose ends are tied up"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from precoro_daemon.errors import NotFound, PermanentError, TemporaryError
from precoro_daemon.payments.ports.gateway import Fresh, PaymentGateway
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.ports.ledger_payments import LedgerPayments
from precoro_daemon.payments.recorder import NOTHING_CAME, Recorder, others_unresolved
from precoro_daemon.payments.rules.doubts import Doubt, Repost, Ruling, judge, look_again
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.invoices import Invoice, Payment
from precoro_daemon.payments.rules.transitions import Direction, Event, State, external_id
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.values.money import ROUNDING_CENT, plain
from precoro_daemon.writes.checks import BETWEEN_LOOKS, next_look

_SEEN_AFTER = 900.0
"""Seconds the mirror gets to show a confirmed payment, before a call is spent on looking for it."""


@dataclass(frozen=True, slots=True)
class Till:
    """Where payments to Precoro are made.

    naming  the form of our id at Precoro
    """

    desk: PaymentGateway
    journal: Journal
    claims: LedgerPayments
    clock: Clock
    repost: Repost = "never"
    naming: Any = "uuid"


async def recover(till: Till, recorder: Recorder) -> None:
    """What was being sent when the program ended is in doubt: nobody heard the answer."""
    for intent in await till.journal.in_state("to_precoro", State.SENDING):
        await lose(till, recorder, intent, "the program ended before the answer came")


async def lose(till: Till, recorder: Recorder, intent: Intent, reason: str) -> Intent:
    """The last attempt came to nobody knows what."""
    attempts = await till.journal.attempts(intent.id)
    look_at = next_look(attempts[-1].at, 0, till.clock.now())
    return await recorder.end(intent, "unknown", Event.LOSE, reason, doubted=True, looks=0, look_at=look_at)


async def settle_doubts(till: Till, recorder: Recorder) -> None:
    """Look for everything that is due to be looked for. One that cannot be looked at now is looked at next time."""
    for intent in await till.journal.due_looks("to_precoro", till.clock.now()):
        try:
            await _look(till, recorder, intent)
        except (TemporaryError, PermanentError) as error:
            recorder.failed.append(f"{intent}: could not be looked for: {error}")


async def _look(till: Till, recorder: Recorder, intent: Intent) -> None:
    fresh = await read(till, intent)
    doubt = await _doubt(till, intent)
    invoice = None if fresh is None else fresh.invoice
    now = till.clock.now()
    if intent.state is State.DOUBT:
        ruling = judge(doubt, invoice, now, till.repost)
    else:
        ruling = look_again(doubt, invoice, now)
    await _apply(recorder, intent, ruling, _seen(fresh))
    if ruling.alarm:
        recorder.alarm(intent, ruling.reason)


async def read(till: Till, intent: Intent) -> Fresh | None:
    """The invoice as it is now; None if Precoro has it no more, or has another one under its number."""
    assert intent.invoice_id is not None
    mirrored = await till.claims.candidates(intent.invoice_id, "id")
    # It may have been given another number since.
    idn = next((one.idn for one in mirrored if one.idn is not None), intent.invoice_idn)
    if idn is None:
        raise PermanentError(f"{intent}: the invoice has no number to ask for it by")
    try:
        fresh = await till.desk.read_invoice(idn)
    except NotFound:
        return None
    return fresh if fresh.invoice.id == intent.invoice_id else None


async def ours(till: Till, intent: Intent) -> frozenset[int]:
    """Ids of the payments on the invoice that other intents made."""
    assert intent.invoice_id is not None
    others = await till.journal.of_invoice("to_precoro", intent.invoice_id)
    return frozenset(int(one.remote_id) for one in others if one.remote_id is not None and one.id != intent.id)


async def _doubt(till: Till, intent: Intent) -> Doubt:
    """From the first attempt on that may have made a payment, whatever is new may be it."""
    attempts = [one for one in await till.journal.attempts(intent.id) if one.outcome not in NOTHING_CAME]
    first, last = attempts[0], attempts[-1]
    return Doubt(last.amount, intent.names, first.known, await ours(till, intent), last.at, intent.looks)


async def _apply(recorder: Recorder, intent: Intent, ruling: Ruling, facts: dict[str, str]) -> None:
    changes: dict[str, Any] = {"looks": intent.looks + 1, "look_at": ruling.look_at}
    if ruling.payment is not None:
        changes |= found(ruling.payment, intent) | {"look_at": None}
        await compare(
            recorder, await recorder.end(intent, "found", Event.FIND, ruling.reason, **changes), ruling.payment
        )
        return
    if ruling.event is Event.REPEAT:
        changes["looks"] = 0
    await recorder.record(intent, ruling.event, ruling.reason, facts, **changes)


async def compare(recorder: Recorder, intent: Intent, payment: Payment | None) -> bool:
    """Whether the payment is what the books have; one that was found may have been made before they changed. What
    differs goes to a person, while no other intent of the invoice is on its way."""
    if payment is None or not _differs(payment, intent):
        return True
    if not await others_unresolved(recorder.journal, intent):
        assert payment.amount is not None
        why = f"Precoro has {plain(payment.amount)}, the books have {plain(intent.amount)}"
        await recorder.record(intent, Event.MISS, why, seen=True)
    return False


def _differs(payment: Payment, intent: Intent) -> bool:
    return payment.amount is not None and abs(payment.amount - intent.amount) > ROUNDING_CENT


def found(payment: Payment, intent: Intent) -> dict[str, Any]:
    """What is known of an intent once its payment was seen under our id. One that differs is looked at once more."""
    return {
        "remote_id": str(payment.id),
        "remote_idn": payment.idn,
        "marked": True,
        "seen": not _differs(payment, intent),
        "doubted": False,
    }


def _seen(fresh: Fresh | None) -> dict[str, str]:
    if fresh is None:
        return {"invoice": "gone"}
    return seen_on(fresh.invoice) | {"server_time": str(fresh.server_time)}


def seen_on(invoice: Invoice) -> dict[str, str]:
    """What was read, for people who must decide by it."""
    payments: Sequence[Payment] = invoice.payments or ()
    told = [
        f"{one.id}: {'?' if one.amount is None else plain(one.amount)} on {one.day}"
        + (" cancelled" if one.canceled else "")
        + (f" called {one.external_id}" if one.external_id else "")
        for one in payments
    ]
    remainder = "?" if invoice.remainder is None else plain(invoice.remainder)
    return {"remainder": remainder, "status": str(invoice.status), "payments": "; ".join(told) or "none"}


async def finish(till: Till, recorder: Recorder) -> None:
    """Let Precoro call what was made by our id, see it there, and tell on the invoice what was refused."""
    for intent in await till.journal.canceled():
        if not await others_unresolved(till.journal, intent):  # also not one of these that was just missed
            await recorder.record(intent, Event.MISS, f"payment {intent.remote_id} was cancelled in Precoro")
    await tell_refusals(till.desk, till.journal, recorder, "to_precoro")
    for intent in await till.journal.unfinished("to_precoro"):
        try:
            await _finish(till, recorder, intent)
        except (TemporaryError, PermanentError) as error:
            recorder.failed.append(f"{intent}: {error}")


async def tell_refusals(desk: PaymentGateway, journal: Journal, recorder: Recorder, direction: Direction) -> None:
    for intent in await journal.unfinished(direction):
        if intent.state is State.REJECTED:
            try:
                await _tell(desk, recorder, intent)
            except TemporaryError as error:
                recorder.failed.append(f"{intent}: {error}")


async def _finish(till: Till, recorder: Recorder, intent: Intent) -> None:
    if intent.state is State.REJECTED:
        return
    if not intent.marked:
        intent = await _mark(till, recorder, intent)
    if not intent.seen:
        await _see(till, recorder, intent)


async def _tell(desk: PaymentGateway, recorder: Recorder, intent: Intent) -> None:
    said = f"precoro-daemon could not record the payment {intent.source} of {plain(intent.amount)}: {intent.reason}"
    outcome = "the invoice tells why"
    try:
        if intent.invoice_idn is not None:
            await desk.log_invoice(intent.invoice_idn, said[:500])
    except PermanentError as error:
        outcome = f"the invoice does not take the reason: {error}"
    await recorder.record(intent, Event.TELL, intent.reason, {"told": outcome}, told=True)


async def _mark(till: Till, recorder: Recorder, intent: Intent) -> Intent:
    outcome = "Precoro calls it by our id"
    try:
        if intent.remote_idn is not None:
            await till.desk.mark_payment(intent.remote_idn, external_id(intent.id, till.naming))
    except PermanentError as error:
        outcome = f"Precoro does not take our id: {error}"
    return await recorder.record(intent, Event.MARK, outcome, marked=True)


async def _see(till: Till, recorder: Recorder, intent: Intent) -> None:
    """By the mirror, which costs no call; by the invoice itself if the mirror does not show it in time."""
    assert intent.remote_id is not None
    if (mirrored := await till.claims.mirrored_payment(intent.remote_id)) is not None:
        if await compare(recorder, intent, mirrored):
            await recorder.record(intent, Event.SEE, "the mirror has it", seen=True)
        return
    if till.clock.now() < intent.since + _SEEN_AFTER + intent.looks * BETWEEN_LOOKS:
        return
    fresh = await read(till, intent)
    there = {} if fresh is None else {one.id: one for one in fresh.invoice.standing}
    if (standing := there.get(int(intent.remote_id))) is not None:
        if await compare(recorder, intent, standing):
            await recorder.record(intent, Event.SEE, "it stands on the invoice", seen=True)
    else:
        await _miss(till, recorder, intent, _seen(fresh))


async def _miss(till: Till, recorder: Recorder, intent: Intent, facts: dict[str, str]) -> None:
    """Not while another intent of the invoice is on its way: an invoice has one unresolved intent."""
    if not await others_unresolved(till.journal, intent):
        await recorder.record(intent, Event.MISS, f"payment {intent.remote_id} is not on the invoice", facts)
