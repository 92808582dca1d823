"""what the books claim becomes intents"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.ports.ledger import Batch, Ledger, Recorded, Unreadable
from precoro_daemon.payments.ports.ledger_payments import (
    Changed,
    LedgerPayments,
    MatchCandidate,
    Reading,
    UnreadableRow,
)
from precoro_daemon.payments.recorder import Recorder, nothing_came, others_unresolved
from precoro_daemon.payments.rules.intents import Intent, Past, asking, recall
from precoro_daemon.payments.rules.invoices import Invoice
from precoro_daemon.payments.rules.matching import LedgerPayment, MatchBy, Paid, Verdict, is_supplier, match
from precoro_daemon.payments.rules.transitions import UNRESOLVED, Event, State, intent_id
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger
from precoro_daemon.values.money import can_be_kept

_log = get_logger()


@dataclass(frozen=True, slots=True)
class Books:
    """The books and how they are read.

    company   whose they are; stands in every id we derive
    currency  what the books' payments are in where they do not say, "" if that is not known
    """

    ledger: Ledger
    claims: LedgerPayments
    clock: Clock
    company: str
    match_by: MatchBy
    currency: str = ""


async def read_books(books: Books) -> None:
    """Take in what is new or changed. Raises what the ledger raises."""
    position = await books.claims.position(books.ledger.name)
    async with books.ledger.recorded(position) as batches:
        async for batch in batches:
            await _take_in(books, batch, position)


async def _take_in(books: Books, batch: Batch, position: str | None) -> None:
    kept = [row for row in batch.payments if can_be_kept(row.amount)]
    unreadable = [*batch.unreadable, *(_too_long(row) for row in batch.payments if not can_be_kept(row.amount))]
    for row in unreadable:
        _log.warning("claim_rejected", ledger=books.ledger.name, key=row.key, reason=row.reason)
    if not batch.payments and not unreadable and not batch.undone and batch.position == position:
        return
    claims = [
        LedgerPayment(
            row.key, row.invoice, row.amount, row.currency or books.currency, row.paid_on, row.supplier, row.ours
        )
        for row in kept
    ]
    bad = [UnreadableRow(row.key, row.reason, row.raw) for row in unreadable]
    changed = await books.claims.take_in(
        books.ledger.name, Reading(claims, bad, batch.position, batch.undone), books.clock.now()
    )
    if changed:
        _log.info("claims_received", ledger=books.ledger.name, count=changed)


def _too_long(row: Recorded) -> Unreadable:
    return Unreadable(row.key, f"amount: {row.amount} has more digits than an amount of money", str(row))


async def plan_ledger_payments(books: Books, recorder: Recorder) -> None:
    """Make intents of the claims that meet an invoice; hold back what is not certain."""
    await hold_misread(books, recorder)
    for changed in await books.claims.changed(books.ledger.name):
        await _follow(books, recorder, changed)
    await follow_entries(books, recorder)
    for candidate in await books.claims.match_candidates(books.ledger.name, books.match_by):
        await _plan(books, recorder, candidate)


def judge(books: Books, candidate: MatchCandidate) -> Verdict:
    """What is to become of a claim, by what the mirror has."""
    equal = [export for export in candidate.exports if export.amount == candidate.claim.amount]
    if unsettled := [export for export in equal if export.state in UNRESOLVED]:
        return Verdict("wait", f"it may be our own entry {unsettled[0].id}, whose outcome is not known yet")
    verdict = match(candidate.claim, candidate.candidates, books.match_by, candidate.others)
    if verdict.kind == "plan" and equal:
        # Books that do not give our key back show what we made as anybody's, and on the day of their choice.
        said = f"it may be our own entry of {equal[0].day} (see {equal[0].id}), which did not come back so far"
        return replace(verdict, kind="hold", reason=said, asks=True)
    return verdict


async def _plan(books: Books, recorder: Recorder, candidate: MatchCandidate) -> None:
    verdict = judge(books, candidate)
    claim = candidate.claim
    if verdict.kind == "wait":
        _log.debug("claim_postponed", ledger=books.ledger.name, key=claim.key, reason=verdict.reason)
        return
    draft = draft_of(books, claim, verdict.invoice)
    if verdict.kind == "plan":
        intent = await recorder.plan(draft, Event.PLAN, f"{claim} meets {verdict.invoice}", claim)
    else:
        asked = asking(verdict.about) if verdict.asks else None
        intent = await recorder.plan(draft, Event.HOLD, verdict.reason, claim, asked)
    if intent is None:
        reason = "another payment of that invoice is not settled yet"
        _log.debug("claim_postponed", ledger=books.ledger.name, key=claim.key, reason=reason)


def draft_of(books: Books, claim: LedgerPayment, invoice: Invoice | None) -> Intent:
    return Intent(
        id=intent_id(books.company, books.ledger.name, claim.key, None if invoice is None else invoice.id),
        direction="to_precoro",
        ledger=books.ledger.name,
        source=claim.key,
        amount=claim.amount,
        currency=claim.currency,
        day=claim.day,
        invoice_id=None if invoice is None else invoice.id,
        invoice_idn=None if invoice is None else invoice.idn,
        supplier=claim.supplier,
    )


async def _follow(books: Books, recorder: Recorder, changed: Changed) -> None:
    """The books changed a payment after it became an intent."""
    intent, claim = changed.intent, changed.claim
    said = f"the books now say: {claim}"
    if intent.state is State.CONFIRMED:
        await _follow_sent(books, recorder, intent, claim)
        return
    verdict = await judge_anew(books, recorder.journal, intent, claim)
    if verdict is not None and await _may_be_ours(recorder.journal, intent, claim):
        return  # until the outcome of that entry is known
    match intent.state:
        case State.REJECTED:
            await _follow_ended(books, recorder, changed, verdict)
        case State.PLANNED if (claim.amount <= 0 or verdict is None) and not await _nothing_came(recorder, intent):
            why = f"{said}; an earlier request may still arrive, or have arrived"
            await recorder.record(intent, Event.HOLD, why, looks=0, look_at=books.clock.now())
        case _ if claim.amount <= 0 < intent.amount:
            await recorder.follow(intent, Event.WITHDRAW, said, claim, told=True)
        case _ if verdict is None:  # and judged like a new one
            await recorder.follow(intent, Event.WITHDRAW, said, claim, link="frees", told=True)
        case _ if verdict.kind == "hold" or (await past_of(recorder.journal, intent)).asked:
            why = verdict.reason or intent.reason
            await recorder.follow(intent, Event.HOLD, why, claim, **now_claimed(claim))
        case _:
            await recorder.follow(intent, Event.REPLAN, said, claim, **now_claimed(claim))


async def _follow_sent(books: Books, recorder: Recorder, intent: Intent, claim: LedgerPayment) -> None:
    """A supplier who is called otherwise by now is no other payment, as long as the invoice is the same."""
    same = all(getattr(intent, name) == getattr(claim, name) for name in ("amount", "currency", "day"))
    if same and await is_meant(books, intent, claim):
        await books.claims.accept(books.ledger.name, claim)
    elif not await others_unresolved(recorder.journal, intent):
        why = f"changed in the books after it was sent; the books now say: {claim}"
        await recorder.follow(intent, Event.MISS, why, claim)


async def follow_entries(books: Books, recorder: Recorder) -> None:
    """What we made in the books was changed there. Another day or another word for the supplier is the books' affair;
    nothing is ever sent back for it."""
    for changed in await books.claims.changed_entries(books.ledger.name):
        intent, claim = changed.intent, changed.claim
        if claim.amount == intent.amount and not changed.moved:
            await books.claims.accept(books.ledger.name, claim)
        else:
            why = f"changed in the books after we made it there; they now say: {claim}"
            await recorder.follow(intent, Event.MISS, why, claim)


async def _follow_ended(books: Books, recorder: Recorder, changed: Changed, verdict: Verdict | None) -> None:
    """It was refused, dropped, or taken back in the books. What was dropped is not sent, whatever it amounts to; for
    another invoice it is another payment."""
    intent, claim = changed.intent, changed.claim
    elsewhere = verdict is None and (changed.moved or not changed.dropped or intent.invoice_id is not None)
    if elsewhere:
        await books.claims.free(books.ledger.name, claim.key)
    elif verdict is None or claim.amount <= 0 or changed.dropped:
        await books.claims.accept(books.ledger.name, claim)
    elif not await others_unresolved(recorder.journal, intent):
        held = verdict.kind == "hold" or (await past_of(recorder.journal, intent)).asked
        why = verdict.reason or f"the books now say: {claim}"
        event = Event.HOLD if held else Event.REPLAN
        await recorder.follow(intent, event, why, claim, **now_claimed(claim), told=False)


async def hold_misread(books: Books, recorder: Recorder) -> None:
    """What the books have in a form we cannot read is not sent as it was before. When it can be read it is judged.

    One of which something may have been sent stays as it is: a person could do no more about it than wait.
    """
    if not await books.claims.unreadable(books.ledger.name):
        return  # as nearly always
    for intent in await recorder.journal.in_state("to_precoro", State.PLANNED):
        linked = await books.claims.linked(intent.ledger, intent.source)
        if linked is not None and linked.unreadable and await _nothing_came(recorder, intent):
            why = f"its row in the books cannot be read now: {linked.unreadable}"
            await recorder.follow(intent, Event.HOLD, why, linked.claim, link="unsettles")


async def past_of(journal: Journal, intent: Intent) -> Past:
    return recall((line.event, line.reason, line.facts) for line in await journal.trace(intent.id))


async def _nothing_came(recorder: Recorder, intent: Intent) -> bool:
    return nothing_came(await recorder.journal.attempts(intent.id))


async def _may_be_ours(journal: Journal, intent: Intent, claim: LedgerPayment) -> bool:
    if intent.invoice_id is None:
        return False
    exports = await journal.of_invoice("to_ledger", intent.invoice_id)
    return any(one.state in UNRESOLVED and one.amount == claim.amount for one in exports)


def now_claimed(claim: LedgerPayment) -> dict[str, Any]:
    """What an intent takes over from the books."""
    return {name: getattr(claim, name) for name in ("amount", "currency", "day", "supplier")}


async def is_meant(books: Books, intent: Intent, claim: LedgerPayment) -> bool:
    """Whether the books' name for the invoice is one of the intent's invoice, among others perhaps."""
    if intent.invoice_id is None:
        return False
    namesakes = await books.claims.candidates(intent.invoice_id, books.match_by)
    mine = [one for one in namesakes if one.id == intent.invoice_id and called(one, books.match_by) == claim.invoice]
    if books.match_by == "number_and_supplier" and claim.supplier is not None:
        mine = [one for one in mine if is_supplier(claim.supplier, one.supplier)]
    return bool(mine)


async def judge_anew(books: Books, journal: Journal, intent: Intent, claim: LedgerPayment) -> Verdict | None:
    """What is to become of the claim today; None if it is not for the intent's invoice (any more)."""
    if intent.invoice_id is None:
        return None
    namesakes = await books.claims.candidates(intent.invoice_id, books.match_by)
    meant = [one for one in namesakes if called(one, books.match_by) == claim.invoice]
    others = await journal.of_invoice("to_precoro", intent.invoice_id)
    paid = [Paid(one.amount, one.day) for one in others if one.id != intent.id and one.state is not State.REJECTED]
    verdict = match(claim, meant, books.match_by, paid)
    return verdict if verdict.invoice is not None and verdict.invoice.id == intent.invoice_id else None


def called(invoice: Invoice, by: MatchBy) -> str | None:
    """What the books call it."""
    names = {
        "external_id": invoice.external_id,
        "id": str(invoice.id),
        "idn": None if invoice.idn is None else str(invoice.idn),
        "number_and_supplier": invoice.number,
    }
    return names[by]
