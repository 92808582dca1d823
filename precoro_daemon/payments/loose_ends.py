"""finishes settled payments: sets our id, checks that they exist, reports refusals"""

from __future__ import annotations

from collections.abc import Mapping

from precoro_daemon.errors import DaemonError, PermanentError, TemporaryError
from precoro_daemon.payments.ports.gateway import PaymentGateway
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.reconciliation import Reconciler, compare, facts_of
from precoro_daemon.payments.recorder import Recorder, others_unresolved
from precoro_daemon.payments.rules.events import Mark, Miss, Report, See
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.invoices import Invoice, Payment
from precoro_daemon.payments.rules.sources import external_id
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.values.money import plain
from precoro_daemon.writes.checks import CHECK_GAP_S

_SEEN_AFTER_S = 900.0
"""Seconds that the mirror has to show a confirmed payment before a call is spent on checking it."""


_NOTED_WITHIN_S = 6 * 3_600.0
"""Seconds after which a note that Precoro does not accept is given up: each attempt costs five calls, in each lap."""


async def finish(reconciler: Reconciler, recorder: Recorder) -> None:
    """Sets our id on what was created, checks that it exists, and reports refusals on the invoice."""
    for intent in await reconciler.journal.canceled():
        if not await others_unresolved(reconciler.journal, intent):  # nor one that this loop just recorded as missing
            await recorder.record(intent, Miss(), f"payment {intent.remote_id} was cancelled in Precoro")
    await report_refusals(reconciler.gateway, reconciler.journal, recorder, Direction.TO_PRECORO)
    for intent in await reconciler.journal.unfinished(Direction.TO_PRECORO):
        try:
            await _finish(reconciler, recorder, intent)
        except (TemporaryError, PermanentError) as error:
            recorder.failed.append(f"{intent}: {error}")


async def report_refusals(
    gateway: PaymentGateway, journal: Journal, recorder: Recorder, direction: Direction
) -> None:
    for intent in await journal.unfinished(direction):
        if intent.state is State.REJECTED:
            try:
                await _report(gateway, recorder, intent)
            except TemporaryError as error:
                recorder.failed.append(f"{intent}: {error}")


async def _finish(reconciler: Reconciler, recorder: Recorder, intent: Intent) -> None:
    if intent.state is State.REJECTED:
        return
    if not intent.marked:
        intent = await _mark(reconciler, recorder, intent)
    if not intent.seen:
        await _see(reconciler, recorder, intent)


async def _report(gateway: PaymentGateway, recorder: Recorder, intent: Intent) -> None:
    payment = f"{intent.source} of {plain(intent.amount)} {intent.currency}"
    where = "in the ledger" if intent.direction is Direction.TO_LEDGER else "at Precoro"
    said = f"precoro-daemon could not record payment {payment} {where}: {intent.reason}"
    outcome = "the invoice shows why"
    try:
        if intent.invoice_idn is not None:
            await gateway.log_invoice(intent.invoice_idn, said[:500])
    except (TemporaryError, PermanentError) as error:
        _leave_for_later(error, recorder, intent)
        outcome = f"the invoice does not take the reason: {error}"
    await recorder.record(intent, Report(), intent.reason, {"reported": outcome})


async def _mark(reconciler: Reconciler, recorder: Recorder, intent: Intent) -> Intent:
    outcome = "Precoro calls it by our id"
    try:
        if intent.remote_idn is not None:
            await reconciler.gateway.name_payment(intent.remote_idn, external_id(intent.id, reconciler.naming))
    except (TemporaryError, PermanentError) as error:
        _leave_for_later(error, recorder, intent)
        outcome = f"Precoro does not take our id: {error}"
    return await recorder.record(intent, Mark(), outcome)


def _leave_for_later(error: DaemonError, recorder: Recorder, intent: Intent) -> None:
    """Raises the failure if it is temporary and the note is recent enough to be worth more calls."""
    if isinstance(error, TemporaryError) and recorder.clock.now() < intent.since + _NOTED_WITHIN_S:
        raise error


async def _see(reconciler: Reconciler, recorder: Recorder, intent: Intent) -> None:
    """Checks that the payment exists: in the mirror, which costs no call, or on the invoice itself if the mirror does
    not show it in time.
    """
    assert intent.remote_id is not None
    if (mirrored := await _mirrored(reconciler, intent, intent.remote_id)) is not None:
        if await compare(recorder, intent, mirrored):
            await recorder.record(intent, See(), "the mirror has it")
        return
    if reconciler.clock.now() < intent.since + _SEEN_AFTER_S + intent.checks * CHECK_GAP_S:
        return
    fresh = await reconciler.read(intent)
    if (standing := _standing(None if fresh is None else fresh.invoice, intent.remote_id)) is not None:
        if await compare(recorder, intent, standing):
            await recorder.record(intent, See(), "it stands on the invoice")
    else:
        await _miss(reconciler, recorder, intent, facts_of(fresh))


async def _mirrored(reconciler: Reconciler, intent: Intent, remote_id: str) -> Payment | None:
    """Returns the payment from the list of payments, or else from the invoice's detail."""
    listed = await reconciler.payments.mirrored_payment(remote_id)
    if listed is not None or intent.invoice_id is None:
        return listed
    return _standing(await reconciler.payments.detailed_invoice(intent.invoice_id), remote_id)


def _standing(invoice: Invoice | None, remote_id: str) -> Payment | None:
    found = () if invoice is None else (one for one in invoice.standing if one.id == int(remote_id))
    return next(iter(found), None)


async def _miss(reconciler: Reconciler, recorder: Recorder, intent: Intent, facts: Mapping[str, str]) -> None:
    """Reports a missing payment, unless another intent of the invoice is unresolved: an invoice has at most one."""
    if not await others_unresolved(reconciler.journal, intent):
        await recorder.record(intent, Miss(), f"payment {intent.remote_id} is not on the invoice", facts)
