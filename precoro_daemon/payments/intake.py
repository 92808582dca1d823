"""turns payments in the ledger into intents"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.ledger_changes import follow_changes
from precoro_daemon.payments.ports.journal import Beginning
from precoro_daemon.payments.ports.ledger_payments import MatchCandidate
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.events import Hold, Plan
from precoro_daemon.payments.rules.intents import Intent, Step
from precoro_daemon.payments.rules.invoices import Invoice
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
from precoro_daemon.payments.rules.matching import Verdict, match
from precoro_daemon.payments.rules.obstacles import Obstacle
from precoro_daemon.payments.rules.sources import LedgerSource
from precoro_daemon.payments.rules.states import UNRESOLVED, Direction, State
from precoro_daemon.payments.rules.transitions import after
from precoro_daemon.telemetry import get_logger

_log = get_logger()


async def plan_ledger_payments(access: LedgerAccess, recorder: Recorder) -> None:
    """Follows the ledger's changes, makes intents of its payments that match an invoice, and holds uncertain ones."""
    await follow_changes(access, recorder)
    async for candidates in access.payments.match_candidates(access.name, access.match_by):
        await _plan(access, recorder, candidates)


def judge(access: LedgerAccess, candidate: MatchCandidate) -> Verdict:
    """Judges a payment of the ledger by what the mirror has."""
    equal = [export for export in candidate.exports if export.amount == candidate.payment.amount]
    if unsettled := [export for export in equal if export.state in UNRESOLVED]:
        return Verdict("wait", f"it may be our own entry {unsettled[0].id}, whose outcome is not known yet")
    verdict = match(candidate.payment, candidate.candidates, access.match_by, candidate.others)
    if verdict.kind == "plan" and candidate.payment.ours is not None:
        said = f"it carries the key of our own entry {candidate.payment.ours}, which is there already: is it a copy?"
        return replace(verdict, kind="hold", reason=said, asks=True)
    if verdict.kind == "plan" and equal:
        # A ledger that keeps no keys returns our entry like any other payment, perhaps with another day.
        said = f"it may be our own entry of {equal[0].day} (see {equal[0].id}), which did not come back so far"
        return replace(verdict, kind="hold", reason=said, asks=True)
    return verdict


async def _plan(access: LedgerAccess, recorder: Recorder, candidates: Sequence[MatchCandidate]) -> None:
    """Makes intents with one commit, before any of them is sent."""
    begun = [one for candidate in candidates if (one := _beginning(access, recorder, candidate)) is not None]
    if not begun:
        return
    for one, intent in zip(begun, await recorder.plan_many(begun), strict=True):
        if intent is None:
            _postponed(access, str(one.new.source), "another payment of that invoice is not settled yet")


def _beginning(access: LedgerAccess, recorder: Recorder, candidate: MatchCandidate) -> Beginning | None:
    """Returns the payment as a new intent, planned or held; None if it waits."""
    verdict, payment = judge(access, candidate), candidate.payment
    if verdict.kind == "wait":
        _postponed(access, payment.key, verdict.reason)
        return None
    if verdict.kind == "plan":
        step = recorder.step(Plan(), f"{payment} is for {verdict.invoice}")
    else:
        step = recorder.step(Hold(verdict.asked), verdict.reason)
    new = new_intent(access, payment, verdict.invoice, verdict.obstacle, step)
    return Beginning(new, step, payment)


def _postponed(access: LedgerAccess, key: str, reason: str) -> None:
    _log.debug("ledger_payment_postponed", ledger=access.name, key=key, reason=reason)


def new_intent(
    access: LedgerAccess,
    payment: LedgerPayment,
    invoice: Invoice | None,
    held_for: Obstacle | None = None,
    step: Step | None = None,
) -> Intent:
    """Returns a new intent. If its first `step` is known, the intent already has the state after it, so `begun` need
    not copy it.
    """
    source = LedgerSource(payment.key)
    return Intent(
        id=access.intent_id(source, invoice),
        direction=Direction.TO_PRECORO,
        ledger=access.name,
        source=source,
        amount=payment.amount,
        currency=payment.currency,
        day=payment.paid_on,
        invoice_id=None if invoice is None else invoice.id,
        invoice_idn=None if invoice is None else invoice.idn,
        supplier=payment.supplier,
        supplier_id=payment.supplier_id,
        obstacle=held_for,
        state=State.PLANNED if step is None else after(None, type(step.event)),
        reason="" if step is None else step.reason,
        since=0.0 if step is None else step.at,
    )
