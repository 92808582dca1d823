"""follows changes of the ledger after its payment became an intent, or asks a person"""

from __future__ import annotations

from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.ports.ledger_payments import Changed
from precoro_daemon.payments.recorder import Recorder, others_unresolved
from precoro_daemon.payments.rules.events import Hold, Miss, Replan, Withdraw
from precoro_daemon.payments.rules.history import terms_of
from precoro_daemon.payments.rules.intents import Intent, made_nothing
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
from precoro_daemon.payments.rules.matching import Paid, Verdict, match, names_supplier
from precoro_daemon.payments.rules.obstacles import ObstacleKind, obstacle
from precoro_daemon.payments.rules.states import UNRESOLVED, Direction, State


async def follow_changes(access: LedgerAccess, recorder: Recorder) -> None:
    """Follows everything that the ledger changed, for payments to Precoro and for those that we made in the
    ledger.
    """
    await hold_unreadable(access, recorder)
    await _follow_suppliers(access, recorder)
    for changed in await access.payments.changed(access.name):
        await _follow(access, recorder, changed)
    await follow_entries(access, recorder)


async def _follow(access: LedgerAccess, recorder: Recorder, changed: Changed) -> None:
    """Follows the change of a payment that became an intent."""
    intent, payment = changed.intent, changed.payment
    said = f"the ledger now says: {payment}"
    if intent.state is State.CONFIRMED:
        await _follow_sent(access, recorder, intent, payment)
        return
    verdict = await _judge_anew(access, recorder.journal, intent, payment)
    if verdict is not None and await _may_be_ours(recorder.journal, intent, payment):
        return  # it waits until the outcome of that entry is known
    match intent.state:
        case State.REJECTED:
            await _follow_ended(access, recorder, changed, verdict)
        case State.PLANNED if (payment.amount <= 0 or verdict is None) and not await _made_nothing(recorder, intent):
            why = f"{said}; an earlier request may still arrive, or have arrived"
            await recorder.record(intent, Hold(check_at=access.clock.now()), why)
        case _ if payment.amount <= 0 < intent.amount:
            await recorder.follow(intent, Withdraw(), said, payment)
        case _ if verdict is None:  # then it is judged like a new one
            await recorder.follow(intent, Withdraw(), said, payment, link="frees")
        case _ if verdict.kind == "hold" or (await recorder.journal.past(intent.id)).asked:
            event = Hold(terms=payment.terms, obstacle=verdict.obstacle)
            await recorder.follow(intent, event, verdict.reason or intent.reason, payment)
        case _:
            await recorder.follow(intent, Replan(payment.terms), said, payment)


async def _follow_suppliers(access: LedgerAccess, recorder: Recorder) -> None:
    """Judges payments again that were held only for their supplier, once Precoro or the ledger names it otherwise."""
    for intent in await recorder.journal.in_state(Direction.TO_PRECORO, State.REVIEW):
        if intent.obstacle is None or intent.obstacle.kind is not ObstacleKind.SUPPLIER_DIFFERS:
            continue
        linked = await access.linked(intent)
        if linked is None or linked.changed or linked.unreadable or linked.intent != intent.id:
            continue
        verdict = await _judge_anew(access, recorder.journal, intent, linked.payment)
        fits = verdict is not None and verdict.kind != "hold"
        if fits and await _made_nothing(recorder, intent) and not (await recorder.journal.past(intent.id)).asked:
            await recorder.follow(intent, Replan(linked.payment.terms), "its supplier fits by now", linked.payment)


async def _follow_sent(access: LedgerAccess, recorder: Recorder, intent: Intent, payment: LedgerPayment) -> None:
    """Follows a change after sending. A new name of the supplier does not make it another payment if the invoice is
    the same.
    """
    terms = terms_of(intent)
    same = (terms.amount, terms.currency, terms.day) == (payment.amount, payment.currency, payment.paid_on)
    if same and await is_meant(access, intent, payment):
        await access.payments.accept(access.name, payment)
    elif not await others_unresolved(recorder.journal, intent):
        await recorder.follow(intent, Miss(), changed_since(intent, payment), payment)


def changed_since(intent: Intent, payment: LedgerPayment) -> str:
    """Returns what changed and what a person has to do."""
    if intent.direction is Direction.TO_PRECORO:
        said = f"changed in the ledger after it was sent; the ledger now says: {payment}"
    else:
        said = f"changed in the ledger after we made it there; it now says: {payment}"
    if payment.amount > 0:
        return said
    there = f"payment {intent.remote_id if intent.direction is Direction.TO_PRECORO else intent.source}"
    return (
        f"{said}. It was taken back there: if that is right, cancel {there} in Precoro and `payments drop` this one;"
        " if not, mend the ledger and `payments adopt` this one"
    )


async def _follow_ended(access: LedgerAccess, recorder: Recorder, changed: Changed, verdict: Verdict | None) -> None:
    """Follows an intent that was refused, dropped, or taken back in the ledger.

    A dropped payment is not sent, whatever its new amount. If the ledger now has it for another invoice, it is
    another payment.
    """
    intent, payment = changed.intent, changed.payment
    elsewhere = verdict is None and (changed.moved or not changed.dropped or intent.invoice_id is not None)
    if elsewhere:
        await access.payments.free(access.name, payment.key)
    elif verdict is None or payment.amount <= 0 or changed.dropped:
        await access.payments.accept(access.name, payment)
    elif not await others_unresolved(recorder.journal, intent):
        held = verdict.kind == "hold" or (await recorder.journal.past(intent.id)).asked
        why = verdict.reason or f"the ledger now says: {payment}"
        event = Hold(terms=payment.terms) if held else Replan(payment.terms)
        await recorder.follow(intent, event, why, payment)


async def follow_entries(access: LedgerAccess, recorder: Recorder) -> None:
    """Follows changes of payments that we made in the ledger.

    A changed day or supplier name is accepted. A changed amount, currency or invoice is left to a person; nothing
    is ever sent back to Precoro for it.
    """
    for changed in await access.payments.changed_entries(access.name):
        intent, payment = changed.intent, changed.payment
        same = payment.amount == intent.amount and payment.currency in ("", intent.currency)
        if same and not changed.moved:
            await access.payments.accept(access.name, payment)
        else:
            await recorder.follow(intent, Miss(), changed_since(intent, payment), payment)


async def hold_unreadable(access: LedgerAccess, recorder: Recorder) -> None:
    """Holds payments whose row in the ledger became unreadable. They are not sent with their earlier content, and are
    judged again once the row is readable.

    A payment that may have been sent stays as it is, because a person could only wait, too.
    """
    if not await access.payments.unreadable(access.name):
        return  # nearly always
    for intent in await recorder.journal.in_state(Direction.TO_PRECORO, State.PLANNED):
        linked = await access.linked(intent)
        if linked is not None and linked.unreadable is not None and await _made_nothing(recorder, intent):
            why = obstacle(ObstacleKind.ROW_UNREADABLE, detail=linked.unreadable)
            await recorder.follow(intent, Hold(obstacle=why), str(why), linked.payment, link="unsettles")


async def _made_nothing(recorder: Recorder, intent: Intent) -> bool:
    return made_nothing(await recorder.journal.attempts(intent.id))


async def _may_be_ours(journal: Journal, intent: Intent, payment: LedgerPayment) -> bool:
    if intent.invoice_id is None:
        return False
    exports = await journal.of_invoice(Direction.TO_LEDGER, intent.invoice_id)
    return any(one.state in UNRESOLVED and one.amount == payment.amount for one in exports)


async def is_meant(access: LedgerAccess, intent: Intent, payment: LedgerPayment) -> bool:
    """Returns whether the ledger's name for the invoice fits the intent's invoice, perhaps among others."""
    if intent.invoice_id is None:
        return False
    namesakes = await access.payments.candidates(intent.invoice_id, access.match_by)
    mine = [one for one in namesakes if one.id == intent.invoice_id and access.name_of(one) == payment.invoice]
    if access.match_by == "number_and_supplier" and (payment.supplier or payment.supplier_id):
        mine = [one for one in mine if names_supplier(payment, one.supplier)]
    return bool(mine)


async def _judge_anew(
    access: LedgerAccess, journal: Journal, intent: Intent, payment: LedgerPayment
) -> Verdict | None:
    """Judges the payment as it is today; None if it is not, or no longer, for the intent's invoice."""
    if intent.invoice_id is None:
        return None
    namesakes = await access.payments.candidates(intent.invoice_id, access.match_by)
    meant = [one for one in namesakes if access.name_of(one) == payment.invoice]
    others = await journal.of_invoice(Direction.TO_PRECORO, intent.invoice_id)
    paid = [Paid(one.amount, one.day) for one in others if one.id != intent.id and one.state is not State.REJECTED]
    verdict = match(payment, meant, access.match_by, paid)
    return verdict if verdict.invoice is not None and verdict.invoice.id == intent.invoice_id else None
