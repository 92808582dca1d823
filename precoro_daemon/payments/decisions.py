"""a person's decisions about a payment, journalled like everything else"""

from __future__ import annotations

from precoro_daemon.errors import DecisionRefused
from precoro_daemon.payments.intake import new_intent
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.ledger_changes import is_meant
from precoro_daemon.payments.ports.ledger_payments import LinkedPayment
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.events import Adopt, Answered, Drop, Repost
from precoro_daemon.payments.rules.intents import Intent, made_nothing
from precoro_daemon.payments.rules.invoices import Payment
from precoro_daemon.payments.rules.states import UNRESOLVED, Direction, State
from precoro_daemon.values.money import plain

_LATEST_ARRIVAL = 86_400.0
"""Seconds for which a request may still be on its way; the longest known case took six hours."""

_SHORTEST_PREFIX_CHARS = 4
"""The fewest characters of an id that a person may give, so that an empty shell variable does not decide about the
only payment.
"""


async def find(recorder: Recorder, prefix: str) -> Intent:
    """Returns the only intent whose id has this prefix."""
    if len(prefix) < _SHORTEST_PREFIX_CHARS:
        raise DecisionRefused(
            f"{prefix!r} is too little of an id: give at least {_SHORTEST_PREFIX_CHARS} characters of it"
        )
    found = await recorder.journal.intent(prefix.lower())
    if len(found) == 1:
        return found[0]
    if not found:
        raise DecisionRefused(f"no payment has an id that begins with {prefix}; `payments review` lists them")
    raise DecisionRefused(f"{len(found)} payments have ids that begin with {prefix}; give more of it")


async def adopt(recorder: Recorder, access: LedgerAccess, intent: Intent, remote_id: str | None, by: str) -> Intent:
    """Records that the other side has the payment: under the given id, or the one that is already known."""
    _expect(intent, State.REVIEW)
    remote_id = remote_id or intent.remote_id
    if remote_id is None:
        raise DecisionRefused("say which payment it is there: --payment with the other side's id of it")
    if remote_id != intent.remote_id:
        await _refuse_wrong(recorder, access, intent, remote_id)
    linked = await access.linked(intent)
    # A payment that the mirror lacks is soon checked on the invoice, which reveals a mistyped id.
    is_export = intent.direction is Direction.TO_LEDGER
    seen = is_export or intent.invoice_idn is None or remote_id == intent.remote_id
    event, said = Adopt(remote_id, seen), f"{by} found it there as {remote_id}"
    # A change in the ledger since then stays a change, and the next lap reports it.
    if linked is not None and linked.intent == intent.id and not linked.changed:
        return await recorder.follow(intent, event, said, linked.payment)
    return await recorder.record(intent, event, said)


async def _refuse_wrong(recorder: Recorder, access: LedgerAccess, intent: Intent, remote_id: str) -> None:
    """Refuses an id that cannot be this payment's, by all that is known about it."""
    if intent.direction is Direction.TO_LEDGER:
        if access.ledger.capabilities.reads and await access.payments.linked(intent.ledger, remote_id) is None:
            raise DecisionRefused(f"the ledger has no payment {remote_id}, as far as `payments plan` has read them")
        return
    if not remote_id.isdecimal():
        raise DecisionRefused(f"{remote_id} is no id of a payment at Precoro: those are numbers")
    payment = await access.payments.mirrored_payment(remote_id)
    journal, invoice_id = recorder.journal, intent.invoice_id
    ours = [] if invoice_id is None else await journal.of_invoice(Direction.TO_PRECORO, invoice_id)
    if taken := [one for one in ours if one.remote_id == remote_id and one.id != intent.id]:
        raise DecisionRefused(f"payment {remote_id} at Precoro is {taken[0]} of the ledger, see {taken[0].id}")
    wrong = "" if payment is None else _wrong(payment, intent)
    if not wrong and payment is not None:
        return
    named = [one for one in await access.payments.payments_called(remote_id) if not _wrong(one, intent)]
    hint = f"; the payment with that number has the id {named[0].id}: give that" if named else ""
    if wrong or hint:
        raise DecisionRefused(f"{wrong or f'no payment that we know has the id {remote_id}'}{hint}")


def _wrong(payment: Payment, intent: Intent) -> str:
    if payment.invoice_id is not None and intent.invoice_id not in (None, payment.invoice_id):
        return f"payment {payment.id} at Precoro is for another invoice (id {payment.invoice_id})"
    return f"payment {payment.id} was cancelled in Precoro" if payment.canceled else ""


async def drop(recorder: Recorder, access: LedgerAccess, intent: Intent, by: str, reason: str) -> Intent:
    """Records that the payment must not be sent.

    If the ledger now has it for another invoice, that is another payment, and the next lap judges it.
    """
    _expect(intent, State.REVIEW, State.PLANNED, State.REJECTED)
    if intent.state is State.REJECTED and (await recorder.journal.past(intent.id)).last == Drop.name:
        raise DecisionRefused(f"{intent} is rejected, and was dropped already")
    said = f"{by} does not want it sent" + (f": {reason}" if reason else "")
    linked = await access.linked(intent)
    mine = linked is not None and linked.intent == intent.id and intent.invoice_id is not None
    if mine and linked and linked.payment.amount > 0 and await _is_elsewhere(recorder, access, intent, linked):
        return await recorder.follow(intent, Drop(), said, linked.payment, link="frees")
    return await recorder.record(intent, Drop(), said)


async def repost(recorder: Recorder, access: LedgerAccess, intent: Intent, by: str, *, force: bool) -> Intent:
    """Lets the next lap send the payment (again) as the ledger has it now, if it fits.

    force  sends it even if an earlier request may still arrive, or if the mirror does not have Precoro's payment
    """
    _expect(intent, State.REVIEW, State.REJECTED)
    if intent.invoice_id is None:
        raise DecisionRefused("nobody knows which invoice it is for; say so: --invoice with Precoro's id of it")
    if intent.amount <= 0:
        raise DecisionRefused(f"it amounts to {plain(intent.amount)}: correct it where it comes from, or drop it")
    other = (await recorder.journal.past(intent.id)).about
    if intent.remote_id is not None:
        await _refuse_standing(access, intent, force=force)
        other |= {intent.remote_id}
    else:
        await _refuse_early(recorder, intent, force=force)
    await _refuse_second(recorder, intent)
    answered = Answered(other) if other else None
    said, linked = f"{by} wants it sent", await _standing(access, intent)
    if linked is None:
        return await recorder.record(intent, Repost(answered), said)
    payment = linked.payment
    if await _is_elsewhere(recorder, access, intent, linked):
        raise DecisionRefused(
            f"the ledger has it for another invoice now: {payment}; drop it, and that one is judged"
        )
    if (payment.amount, payment.paid_on) != (intent.amount, intent.day):
        said += f"; the ledger now says: {payment}"
    return await recorder.follow(intent, Repost(answered, payment.terms), said, payment)


async def _refuse_standing(access: LedgerAccess, intent: Intent, *, force: bool) -> None:
    """Refuses to send a payment again that the other side has. Two cases are allowed: Precoro's payment is known to
    be cancelled, or the mirror does not have it and a person forces the sending.
    """
    assert intent.remote_id is not None
    if intent.direction is Direction.TO_PRECORO:
        payment = await access.payments.mirrored_payment(intent.remote_id)
        if payment.canceled if payment is not None else force:
            return
        raise DecisionRefused(
            f"Precoro has it as {intent.remote_id}: adopt or drop it; to send it anew, cancel that one there first,"
            " and let the mirror see it" + ("" if payment is not None else "; if it is not there, use --force")
        )
    raise DecisionRefused(f"the ledger has it as {intent.remote_id}: adopt or drop it")


async def assign(recorder: Recorder, access: LedgerAccess, intent: Intent, invoice_id: int, by: str) -> Intent:
    """Assigns a payment that has no invoice to the given one."""
    _expect(intent, State.REVIEW)
    if intent.invoice_id is not None:
        raise DecisionRefused(f"it is for invoice {intent.invoice_idn}; correct it in the ledger if that is wrong")
    invoices = [one for one in await access.payments.candidates(invoice_id, "id") if one.id == invoice_id]
    if not invoices:
        raise DecisionRefused(f"the mirror has no invoice with id {invoice_id}")
    linked = await _standing(access, intent)
    if linked is None:
        raise DecisionRefused(f"the ledger has no payment {intent.source} (any more)")
    chosen = new_intent(access, linked.payment, invoices[0])
    await _refuse_second(recorder, chosen)
    why = f"{by} does not want it sent: it is for invoice {chosen.invoice_idn}, see {chosen.id}"
    planned = await recorder.replace(intent, why, chosen, f"{by} says it is for {invoices[0]}", linked.payment)
    if planned is None:
        raise DecisionRefused(f"it was sent for invoice {chosen.invoice_idn} before, see {chosen.id}")
    return planned


async def _is_elsewhere(recorder: Recorder, access: LedgerAccess, intent: Intent, linked: LinkedPayment) -> bool:
    """Returns whether the ledger has the payment for another invoice. If a person assigned the invoice, only a change
    of the ledger's name for it counts, because the ledger never named the assigned one.
    """
    if linked.moved or await is_meant(access, intent, linked.payment):
        return linked.moved
    return not (await recorder.journal.past(intent.id)).assigned


async def _standing(access: LedgerAccess, intent: Intent) -> LinkedPayment | None:
    """Returns the payment as the ledger has it now, None if the ledger never had it. Refuses a payment that the
    ledger took back or has for another invoice, or whose row is unreadable.
    """
    if intent.direction is not Direction.TO_PRECORO:
        return None
    linked = await access.linked(intent)
    if linked is None:
        return None
    if linked.unreadable is not None:
        raise DecisionRefused(f"the ledger's row of it cannot be read now: {linked.unreadable}; correct it there")
    if linked.payment.amount <= 0:
        raise DecisionRefused(f"the ledger took it back: {linked.payment}; drop it")
    if linked.intent != intent.id:
        where = f"see {linked.intent}" if linked.intent else "it is judged anew by itself"
        raise DecisionRefused(f"the ledger has it for another invoice now: {linked.payment}; {where}")
    return linked


def _expect(intent: Intent, *states: State) -> None:
    if intent.state not in states:
        raise DecisionRefused(
            f"{intent} is {intent.state}: only a payment that is {' or '.join(states)} can be decided"
        )


async def _refuse_early(recorder: Recorder, intent: Intent, *, force: bool) -> None:
    attempts = await recorder.journal.attempts(intent.id)
    if made_nothing(attempts) or force:
        return
    left = attempts[-1].at + _LATEST_ARRIVAL - recorder.clock.now()
    if left > 0:
        hours = f"the next {-(-left // 3600):.0f} hours"
        raise DecisionRefused(
            f"the request may still arrive in {hours}; wait, or check there yourself and use --force"
        )


async def _refuse_second(recorder: Recorder, intent: Intent) -> None:
    assert intent.invoice_id is not None
    for other in await recorder.journal.of_invoice(intent.direction, intent.invoice_id):
        if intent.direction is Direction.TO_PRECORO and other.id != intent.id and other.state in UNRESOLVED:
            raise DecisionRefused(f"settle the other payment of that invoice first: {other.id} ({other.state})")
