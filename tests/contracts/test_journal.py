"""What every state store promises as a journal of payments (`ports.Journal`, `ports.Claims`, `ports.PaidSet`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.errors import SendingStopped, StaleIntent, StoreUnusable
from precoro_daemon.mirror.ports.mirror import Due
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.cursors import Page, Scan
from precoro_daemon.mirror.rules.documents import read_record
from precoro_daemon.payments.ports.journal import Beginning
from precoro_daemon.payments.ports.ledger_payments import Changed, LinkedPayment, MatchCandidate
from precoro_daemon.payments.rules.events import (
    Accept,
    Drop,
    Hold,
    Lose,
    Mark,
    Plan,
    Refuse,
    Repost,
    Send,
    Unsent,
    Withdraw,
)
from precoro_daemon.payments.rules.intents import Attempt, Intent, Step
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch, LedgerPayment, Undone, UnreadableRow
from precoro_daemon.payments.rules.matching import MatchBy, Paid
from precoro_daemon.payments.rules.sources import LedgerSource, PrecoroPayment, intent_id
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.payments.rules.transitions import ImpossibleTransition
from tests.contracts.backends import Backend
from tests.contracts.listing import T0

DAY = date(2026, 1, 31)


def draft(payment: str = "17", invoice: int | None = 1, amount: str = "10.00") -> Intent:
    number = intent_id("company", "books", LedgerSource(payment), invoice)
    return Intent(
        number, Direction.TO_PRECORO, "books", LedgerSource(payment), Decimal(amount), "EUR", DAY, invoice, invoice
    )


def attempt(intent: Intent, number: int = 1) -> Attempt:
    return Attempt(intent.id, number, T0, Decimal("10.00"), (5, 6), Decimal("10.01"), T0 - 1, "hash")


def send() -> Step:
    return Step(Send(), T0)


def claim(key: str = "17", invoice: str = "1", amount: str = "10.00", **more: str | None) -> LedgerPayment:
    return LedgerPayment(key, invoice, Decimal(amount), "EUR", DAY, **more)


@pytest_asyncio.fixture
async def store(backend: Backend) -> AsyncIterator[Store]:
    async with backend.open() as opened:
        await opened.journal.prepare()
        await opened.journal.prepare()
        yield opened


async def planned(store: Store, **given: object) -> Intent:
    intent = await store.journal.plan(draft(**given), Step(Plan(), T0, "seen"))
    assert intent is not None
    return intent


async def candidates(store: Store, by: MatchBy) -> list[MatchCandidate]:
    return [one async for batch in store.ledger_payments.match_candidates("books", by) for one in batch]


async def mirrored(store: Store, *invoices: dict[str, object]) -> None:
    rows = [read_record(json.dumps({"supplier": {"id": 9, "name": "Acme"}, **row}).encode()) for row in invoices]
    await store.mirror.commit_pages(Scan("invoices", "whole"), [Page(1, rows, total=len(rows), server_time=T0)])


def invoice(number: int, status: int = 2, **more: object) -> dict[str, object]:
    return {"id": number, "idn": number, "status": status, "sum": "10.00", "sumPaid": 0, "currency": "EUR", **more}


@pytest.mark.asyncio
async def test_an_intent_comes_back_as_it_was_written(backend: Backend) -> None:
    async with backend.open() as store:
        intent = await planned(store, amount="1234567.891")
    async with backend.open() as store:
        assert list(await store.journal.in_state(Direction.TO_PRECORO, State.PLANNED)) == [intent]
        assert list(await store.journal.intent(intent.id[:8])) == [intent]
        assert intent.amount == Decimal("1234567.891")


@pytest.mark.asyncio
async def test_an_intent_begins_once(store: Store) -> None:
    await planned(store)
    assert await store.journal.plan(draft(), Step(Plan(), T0)) is None
    assert await store.journal.plan(draft("18"), Step(Plan(), T0)) is None, "the invoice has an unresolved one"
    assert await store.journal.plan(draft("18", invoice=2), Step(Plan(), T0)) is not None


@pytest.mark.asyncio
async def test_what_changed_its_state_behind_a_line_is_told(store: Store) -> None:
    assert await store.journal.position() == 0
    intent, other = await planned(store), await store.journal.plan(draft("18", invoice=2), Step(Plan(), T0 + 9))
    assert list(await store.journal.moved_since(0)) == [intent, other]
    position = await store.journal.position()
    assert await store.journal.moved_since(position) == []
    held = await store.journal.record(intent, Step(Hold(), T0 + 20, "why"))
    assert list(await store.journal.moved_since(position)) == [held]


@pytest.mark.asyncio
async def test_many_begin_in_one_transaction_and_each_as_if_alone(backend: Backend) -> None:
    claims = [claim("17", "1"), claim("18", "1"), claim("19", "2")]
    drafts = [draft("17", 1), draft("18", 1), draft("19", 2), draft("17", 1)]
    payments = [*claims, claims[0]]
    begun = [Beginning(new, Step(Plan(), T0, "seen"), payment) for new, payment in zip(drafts, payments, strict=True)]
    async with backend.open() as store:
        await store.ledger_payments.take_in("books", LedgerBatch(claims, [], "1"), T0)
        first, behind, third, again = await store.journal.plan_many(begun)
        assert (behind, again) == (None, None), "the invoice has an unresolved one; it is there"
        for intent in (first, third):
            assert intent is not None
            assert [line.reason for line in await store.journal.trace(intent.id)] == ["seen"]
            linked = await store.ledger_payments.linked("books", str(intent.source))
            assert linked is not None
            assert (linked.intent, linked.changed) == (intent.id, False)
        waiting = await store.ledger_payments.linked("books", "18")
        assert waiting is not None
        assert waiting.intent is None
    async with backend.open() as store:
        assert {one.id for one in await store.journal.in_state(Direction.TO_PRECORO, State.PLANNED)} == {
            drafts[0].id,
            drafts[2].id,
        }
        assert await store.journal.plan_many([]) == []
        later = [Beginning(draft("20", 1), Step(Plan(), T0)), Beginning(draft("21", 3), Step(Plan(), T0))]
        behind, free = await store.journal.plan_many(later)
        assert behind is None, "the invoice has an unresolved one since earlier"
        assert free is not None


@pytest.mark.asyncio
async def test_what_is_wrong_with_one_of_many_takes_all_of_them_back(store: Store, backend: Backend) -> None:
    await store.ledger_payments.take_in("books", LedgerBatch([claim()], [], "1"), T0)
    many = [Beginning(draft(), Step(Plan(), T0), claim()), Beginning(draft("18", 2), Step(Drop(), T0))]
    with pytest.raises(ImpossibleTransition):
        await store.journal.plan_many(many)
    rows = backend.query("SELECT (SELECT count(*) FROM intents), (SELECT count(*) FROM journal)")
    assert rows == [(0, 0)]
    assert await store.ledger_payments.waiting("books") == 1


@pytest.mark.asyncio
async def test_the_index_itself_allows_one_unresolved_intent_of_an_invoice(store: Store, backend: Backend) -> None:
    await store.journal.arm(T0)
    intent = await planned(store)
    sent = await store.journal.begin(intent, attempt(intent), send())
    await store.journal.end(sent, Step(Refuse(), T0))
    await planned(store, payment="18")
    [rejected] = await store.journal.in_state(Direction.TO_PRECORO, State.REJECTED)
    with pytest.raises(StoreUnusable, match=backend.duplicate):
        await store.journal.record(rejected, Step(Repost(), T0))


@pytest.mark.asyncio
async def test_one_takes_the_place_of_another_or_nothing_is_written(store: Store, backend: Backend) -> None:
    lost = await planned(store, payment="17", invoice=None)
    lost = await store.journal.record(lost, Step(Hold(), T0, "no invoice"))
    await planned(store, payment="18", invoice=2)
    drop, begin = Step(Drop(), T0, "it is for another"), Step(Plan(), T0, "somebody says so")
    before = backend.query("SELECT count(*) FROM journal")
    assert await store.journal.replace(lost, drop, draft("17", 2), begin, claim()) is None, (
        "the invoice has an unresolved one"
    )
    assert await store.journal.in_state(Direction.TO_PRECORO, State.REVIEW) == [lost]
    assert backend.query("SELECT count(*) FROM journal") == before
    taken = await store.journal.replace(lost, drop, draft("17", 3), begin, claim())
    assert taken is not None
    assert (taken.state, taken.invoice_id) == (State.PLANNED, 3)
    assert [one.id for one in await store.journal.in_state(Direction.TO_PRECORO, State.REJECTED)] == [lost.id]


@pytest.mark.asyncio
async def test_the_permission_to_send_is_durable_with_its_attempt(backend: Backend) -> None:
    async with backend.open() as store:
        await store.journal.arm(T0)
        intent = await planned(store)
        await store.journal.begin(intent, attempt(intent), send())
        assert backend.query("SELECT state, attempts FROM intents") == [("sending", 1)]
        [kept] = await store.journal.attempts(intent.id)
        assert kept == attempt(intent)
        assert [line.target for line in await store.journal.trace(intent.id)] == ["planned", "sending"]


@pytest.mark.asyncio
async def test_an_attempt_is_begun_once(store: Store) -> None:
    await store.journal.arm(T0)
    intent = await planned(store)
    await store.journal.begin(intent, attempt(intent), send())
    with pytest.raises(StaleIntent):
        await store.journal.begin(intent, attempt(intent), send())
    assert len(await store.journal.attempts(intent.id)) == 1


@pytest.mark.asyncio
async def test_what_the_table_does_not_have_is_not_written(store: Store, backend: Backend) -> None:
    intent = await planned(store)
    with pytest.raises(ImpossibleTransition):
        await store.journal.record(intent, Step(Accept("5"), T0))
    assert len(await store.journal.trace(intent.id)) == 1
    assert backend.query("SELECT state FROM intents") == [("planned",)]


@pytest.mark.asyncio
async def test_the_journal_is_append_only(store: Store, backend: Backend) -> None:
    await planned(store)
    for statement in ("UPDATE journal SET reason = ''", "DELETE FROM journal"):
        with pytest.raises(Exception, match="append-only"):
            backend.change(statement)


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.asyncio
async def test_whether_a_payment_kept_our_id_at_once(store: Store, kept: bool) -> None:
    await store.journal.arm(T0)
    intent = await planned(store)
    assert await store.journal.last_accepted() is None
    intent = await store.journal.begin(intent, attempt(intent), send())
    intent = await store.journal.end(intent, Step(Accept("5", 5, marked=kept), T0 + 7))
    if not kept:
        assert await store.journal.last_accepted() is None, "it has no id of ours yet"
        await store.journal.record(intent, Step(Mark(), T0 + 8))
    assert await store.journal.last_accepted() == (T0 + 7, kept)


@pytest.mark.asyncio
async def test_checks_fall_due_in_their_order(store: Store) -> None:
    await store.journal.arm(T0)
    doubts = []
    for number, check_at in ((1, T0 + 30), (2, T0 + 10), (3, T0 + 99)):
        intent = await planned(store, payment=str(number), invoice=number)
        intent = await store.journal.begin(intent, attempt(intent), send())
        doubts.append(await store.journal.end(intent, Step(Lose(check_at), T0)))
    assert list(await store.journal.due_checks(Direction.TO_PRECORO, T0 + 30)) == [doubts[1], doubts[0]]


@pytest.mark.asyncio
async def test_what_was_sent_counts_unless_it_came_to_nothing(store: Store) -> None:
    await store.journal.arm(T0)
    ends = [Lose(None), Accept("5"), Refuse(), Unsent()]
    for number, event in enumerate(ends, start=1):
        intent = await planned(store, payment=event.name, invoice=number)
        intent = await store.journal.begin(intent, attempt(intent), send())
        await store.journal.end(intent, Step(event, T0))
    assert await store.journal.spent(Direction.TO_PRECORO, "EUR", T0) == [Decimal("10.00")] * 2
    assert await store.journal.spent(Direction.TO_PRECORO, "USD", T0) == []
    assert await store.journal.spent(Direction.TO_PRECORO, "EUR", T0 + 1) == []
    assert {intent.state for intent in await store.journal.unfinished(Direction.TO_PRECORO)} == {
        State.CONFIRMED,
        State.REJECTED,
    }


@pytest.mark.asyncio
async def test_a_new_store_is_not_armed_and_stays_armed_over_a_restart(backend: Backend) -> None:
    async with backend.open() as store:
        assert not (await store.journal.switch()).armed
        await store.journal.arm(T0)
        assert (await store.journal.switch()).armed
    async with backend.open() as store:
        assert (await store.journal.switch()).armed
        await store.journal.disarm(T0, "the auditors are here")
        assert await store.journal.switch() == replace(
            await store.journal.switch(), armed=False, reason="the auditors are here"
        )


@pytest.mark.asyncio
async def test_a_restored_store_is_not_armed(backend: Backend, tmp_path: Path) -> None:
    """By its own journal: the copy does not know of what was sent after it was made."""
    async with backend.open() as store:
        await store.journal.arm(T0)
        intent = await planned(store)
    copy = backend.copied(tmp_path / "copy", whole=False)
    async with backend.open() as store:
        await store.journal.begin(intent, attempt(intent), send())
        assert (await store.journal.switch()).armed
    backend.put_back(copy)
    async with backend.open() as store:
        assert "restored" in (await store.journal.switch()).reason
        for number in range(2, 6):  # its journal has as many rows again, but they are other ones
            await planned(store, payment=f"{number}", invoice=number)
        assert "restored" in (await store.journal.switch()).reason
        await store.journal.arm(T0)
        assert (await store.journal.switch()).armed


@pytest.mark.asyncio
async def test_a_store_moved_with_its_restore_guard_or_without_is_not_armed(backend: Backend, tmp_path: Path) -> None:
    async with backend.open() as store:
        await store.journal.arm(T0)
    for whole in (True, False):
        async with backend.copied(tmp_path / f"elsewhere{whole}", whole=whole).open() as store:
            assert "moved, copied or restored" in (await store.journal.switch()).reason


@pytest.mark.asyncio
async def test_an_empty_store_beside_an_old_witness_is_not_armed(backend: Backend) -> None:
    async with backend.open() as store:
        await store.journal.arm(T0)
    backend.wipe()
    async with backend.open() as store:
        assert not (await store.journal.switch()).armed


@pytest.mark.asyncio
async def test_nothing_begins_where_the_witness_is_gone(store: Store, backend: Backend) -> None:
    await store.journal.arm(T0)
    intent = await planned(store)
    backend.lose_guard()
    with pytest.raises(SendingStopped, match="moved, copied or restored"):
        await store.journal.begin(intent, attempt(intent), send())
    assert await store.journal.in_state(Direction.TO_PRECORO, State.PLANNED) == [intent]


@pytest.mark.asyncio
async def test_nothing_begins_once_payments_are_disarmed(store: Store) -> None:
    await store.journal.arm(T0)
    intent = await planned(store)
    await store.journal.disarm(T0, "disarmed by somebody")
    with pytest.raises(SendingStopped, match="disarmed by somebody"):
        await store.journal.begin(intent, attempt(intent), send())
    assert await store.journal.in_state(Direction.TO_PRECORO, State.PLANNED) == [intent]


@pytest.mark.asyncio
async def test_a_cancelled_step_is_done_or_not_begun(store: Store, backend: Backend) -> None:
    for number in range(20):
        task = asyncio.create_task(planned(store, payment=str(number), invoice=number))
        await asyncio.sleep(0.0002 * number)
        task.cancel()
        await asyncio.wait([task])
    rows = backend.query("SELECT (SELECT count(*) FROM intents), (SELECT count(*) FROM journal WHERE event = 'plan')")
    assert rows[0][0] == rows[0][1]


@pytest.mark.asyncio
async def test_claims_and_position_are_kept_together_and_repeats_change_nothing(backend: Backend) -> None:
    reading = LedgerBatch([claim(), claim("18", amount="5")], [UnreadableRow("19", "no amount", "{}")], "p2")
    async with backend.open() as store:
        assert await store.ledger_payments.position("books") is None
        assert await store.ledger_payments.take_in("books", reading, T0) == 2
        assert await store.ledger_payments.take_in("books", reading, T0) == 0
    async with backend.open() as store:
        assert await store.ledger_payments.position("books") == "p2"
        assert await store.ledger_payments.position("other books") is None
        assert await store.ledger_payments.waiting("books") == 2
        assert await store.ledger_payments.unreadable("books") == [UnreadableRow("19", "no amount", "{}")]
        await store.ledger_payments.take_in("books", LedgerBatch([claim("19")], [], "p3"), T0)
        assert await store.ledger_payments.unreadable("books") == []


@pytest.mark.asyncio
async def test_what_a_document_of_the_books_no_longer_has_amounts_to_nothing(store: Store) -> None:
    claims = [claim("50"), claim("50/1"), claim("50/2"), claim("500"), claim("5")]
    await store.ledger_payments.take_in(
        "books", LedgerBatch(claims, [UnreadableRow("50/1", "garbled", "{}")], "1"), T0
    )
    gone = LedgerBatch([], [], "2", [Undone("50", ["50/2"])])
    assert [await store.ledger_payments.take_in("books", gone, T0) for _ in range(2)] == [2, 0]
    amounts = {one.key: str(one.amount) for one in await store.ledger_payments.named("books", claims[0].invoice)}
    assert amounts == {"50": "0.00", "50/1": "0.00", "50/2": "10.00", "500": "10.00", "5": "10.00"}
    assert await store.ledger_payments.unreadable("books") == []
    await store.ledger_payments.take_in("books", LedgerBatch([claim("50/1")], [], "3"), T0)
    [again] = [one for one in await store.ledger_payments.named("books", claims[0].invoice) if one.key == "50/1"]
    assert str(again.amount) == "10.00"


@pytest.mark.asyncio
async def test_a_document_that_is_read_anew_has_none_of_its_unreadable_rows(store: Store) -> None:
    rows = [
        UnreadableRow(key, "garbled", "{}") for key in ("a.csv", "a.csv:4", "a.csv.csv:4", "a.cs", "7", "7/1", "70")
    ]
    await store.ledger_payments.take_in("books", LedgerBatch([], rows, "1"), T0)
    again = LedgerBatch([], [UnreadableRow("a.csv:9", "garbled", "{}")], "2", [Undone("a.csv"), Undone("7")])
    await store.ledger_payments.take_in("books", again, T0)
    left = {row.key for row in await store.ledger_payments.unreadable("books")}
    assert left == {"a.csv:9", "a.csv.csv:4", "a.cs", "70"}


@pytest.mark.asyncio
async def test_what_was_dismissed_stays_so_when_its_document_is_read_anew(store: Store) -> None:
    rows = [UnreadableRow("a.csv:4", "garbled", "{}"), UnreadableRow("a.csv:5", "garbled", "{}")]
    await store.ledger_payments.take_in("books", LedgerBatch([], rows, "1"), T0)
    assert await store.ledger_payments.dismiss("books", "a.csv:4", T0, "known")
    await store.ledger_payments.take_in("books", LedgerBatch([], rows, "2", [Undone("a.csv")]), T0)
    assert [row.key for row in await store.ledger_payments.unreadable("books")] == ["a.csv:5"]
    changed = UnreadableRow("a.csv:4", "otherwise", "{}")
    await store.ledger_payments.take_in("books", LedgerBatch([], [changed], "3", [Undone("a.csv")]), T0)
    assert await store.ledger_payments.unreadable("books") == [changed]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("external_id", {"externalId": "A-1"}),
        ("id", {}),
        ("idn", {"idn": "A-1"}),
        ("number_and_supplier", {"invoiceNumber": "A-1"}),
        ("xero_id", {"xeroId": "A-1"}),
        ("qbo_id", {"qboId": "A-1"}),
        ("netsuite_id", {"netSuiteId": "A-1"}),
    ],
)
async def test_claims_meet_the_invoices_that_can_be_paid(store: Store, by: MatchBy, names: dict[str, object]) -> None:
    await mirrored(store, invoice(71, **names), invoice(72, status=5), invoice(73, status=0, idn="B"))
    name = "71" if by == "id" else "A-1"
    await store.ledger_payments.take_in(
        "books", LedgerBatch([claim(invoice=name), claim("18", "no such")], [], "1"), T0
    )
    [candidate] = await candidates(store, by)
    assert candidate.payment == claim(invoice=name)
    assert [one.id for one in candidate.candidates] == [71]
    assert candidate.candidates[0].supplier.name == "Acme"


@pytest.mark.asyncio
async def test_namesakes_are_shown_even_where_they_cannot_be_paid(store: Store) -> None:
    same = {"externalId": "A-1"}
    await mirrored(store, invoice(71, **same), invoice(72, status=5, **same), invoice(73, status=8, **same))
    await store.ledger_payments.take_in("books", LedgerBatch([claim(invoice="A-1")], [], "1"), T0)
    [candidate] = await candidates(store, "external_id")
    assert sorted(one.id for one in candidate.candidates) == [71, 72, 73]


@pytest.mark.asyncio
async def test_many_candidates_come_in_batches_with_what_their_suppliers_are_called(store: Store) -> None:
    """Some suppliers have an external id, some are unknown, and some invoices name none."""
    named = [{"id": 9, "name": "Acme"}, {"id": 8, "name": "Bolt"}, {}]
    await mirrored(store, *(invoice(number, supplier=named[number % 3]) for number in range(1, 1_102)))
    supplier = read_record(json.dumps({"id": 9, "externalId": "S-9"}).encode())
    await store.mirror.commit_pages(Scan("suppliers", "whole"), [Page(1, [supplier], total=1, server_time=T0)])
    paid = [claim(f"P-{number:04}", str(number)) for number in range(1, 1_102)]
    await store.ledger_payments.take_in("books", LedgerBatch(paid, [], "1"), T0)
    batches = [batch async for batch in store.ledger_payments.match_candidates("books", "idn")]
    assert [len(batch) for batch in batches] == [500, 500, 101]
    found = [one for batch in batches for one in batch]
    assert [one.payment for one in found] == paid
    wanted = [["S-9", None, None][number % 3] for number in range(1, 1_102)]
    assert [one.candidates[0].supplier.external_id for one in found] == wanted


@pytest.mark.asyncio
async def test_what_takes_back_meets_paid_invoices_too(store: Store) -> None:
    await mirrored(store, invoice(71, status=5))
    await store.ledger_payments.take_in(
        "books", LedgerBatch([claim(invoice="71", amount="-10"), claim("18", "71")], [], "1"), T0
    )
    [candidate] = await candidates(store, "idn")
    assert candidate.payment.key == "17"


@pytest.mark.asyncio
async def test_a_carried_claim_meets_nothing_until_it_is_freed(store: Store) -> None:
    await mirrored(store, invoice(1))
    await store.ledger_payments.take_in("books", LedgerBatch([claim(), claim("18")], [], "1"), T0)
    intent = await store.journal.plan(draft(), Step(Plan(), T0), claim())
    [candidate] = await candidates(store, "idn")
    assert candidate.payment.key == "18"
    assert candidate.others == [Paid(Decimal("10.00"), DAY)]
    assert [one.key for one in await store.ledger_payments.named("books", "1")] == ["17", "18"]
    await store.ledger_payments.free("books", "17")
    assert len(await candidates(store, "idn")) == 2
    assert intent is not None


@pytest.mark.asyncio
async def test_a_claim_that_changes_after_it_was_carried_is_told(store: Store) -> None:
    await mirrored(store, invoice(1))
    await store.ledger_payments.take_in("books", LedgerBatch([claim()], [], "1"), T0)
    intent = await store.journal.plan(draft(), Step(Plan(), T0), claim())
    assert await store.ledger_payments.changed("books") == []
    await store.ledger_payments.take_in("books", LedgerBatch([claim(amount="9.00")], [], "2"), T0)
    assert await store.ledger_payments.changed("books") == [Changed(intent, claim(amount="9.00"))]
    assert await store.ledger_payments.linked("books", "17") == LinkedPayment(
        claim(amount="9.00"), intent.id, changed=True
    )
    await store.ledger_payments.accept("books", claim())
    assert len(await store.ledger_payments.changed("books")) == 1, "that is not what it says now"
    await store.ledger_payments.accept("books", claim(amount="9.00"))
    assert await store.ledger_payments.changed("books") == []
    assert await store.ledger_payments.linked("books", "17") == LinkedPayment(
        claim(amount="9.00"), intent.id, changed=False
    )
    assert await store.ledger_payments.linked("books", "no such") is None


@pytest.mark.asyncio
async def test_an_intent_carries_what_was_judged_and_not_what_came_meanwhile(store: Store) -> None:
    await mirrored(store, invoice(1))
    await store.ledger_payments.take_in("books", LedgerBatch([claim()], [], "1"), T0)
    [candidate] = await candidates(store, "idn")
    await store.ledger_payments.take_in("books", LedgerBatch([claim(amount="9.00")], [], "2"), T0)
    intent = await store.journal.plan(draft(), Step(Plan(), T0), candidate.payment)
    assert await store.ledger_payments.changed("books") == [Changed(intent, claim(amount="9.00"))]


@pytest.mark.asyncio
async def test_a_claim_whose_row_cannot_be_read_any_more_meets_and_changes_nothing(store: Store) -> None:
    await mirrored(store, invoice(1))
    await store.ledger_payments.take_in("books", LedgerBatch([claim(), claim("18")], [], "1"), T0)
    await store.journal.plan(draft(), Step(Plan(), T0), claim())
    garbled = [UnreadableRow("17", "amount: VOID", "{}"), UnreadableRow("18", "amount: VOID", "{}")]
    await store.ledger_payments.take_in("books", LedgerBatch([claim(amount="9.00")], [], "2"), T0)
    await store.ledger_payments.take_in("books", LedgerBatch([], garbled, "3"), T0)
    assert (
        await candidates(store, "idn"),
        await store.ledger_payments.changed("books"),
    ) == ([], [])
    linked = await store.ledger_payments.linked("books", "17")
    assert linked is not None
    assert linked.unreadable == "amount: VOID"
    await store.ledger_payments.take_in("books", LedgerBatch([claim(amount="9.00"), claim("18")], [], "4"), T0)
    assert len(await candidates(store, "idn")) == len(await store.ledger_payments.changed("books")) == 1


@pytest.mark.asyncio
async def test_what_was_withdrawn_begins_anew_and_what_a_person_dropped_is_asked_for(store: Store) -> None:
    intent = await planned(store)
    assert await store.journal.plan(draft(), Step(Plan(), T0), claim()) is None, "it is there"
    await store.journal.record(intent, Step(Withdraw(), T0, "taken back"))
    again = await store.journal.plan(replace(draft(), amount=Decimal(7)), Step(Plan(), T0 + 1), claim())
    assert again is not None
    assert (again.state, again.amount, again.reported) == (State.PLANNED, Decimal(7), False)
    held = await store.journal.record(again, Step(Hold(), T0, "does not fit"))
    await store.journal.record(held, Step(Drop(), T0, "somebody does not want it"))
    assert await store.journal.plan(draft(), Step(Plan(), T0)) is None, "nothing says that it is wanted again"
    asked = await store.journal.plan(draft(), Step(Plan(), T0), claim())
    assert asked is not None
    assert (asked.state, asked.reason) == (State.REVIEW, "somebody does not want it; the ledger has it again")


@pytest.mark.asyncio
async def test_what_we_made_in_the_books_is_no_claim(store: Store) -> None:
    await store.journal.arm(T0)
    await mirrored(store, invoice(1))
    export = replace(draft(), id="e5", direction=Direction.TO_LEDGER, source=PrecoroPayment(5))
    made = await store.journal.plan(export, Step(Plan(), T0))
    made = await store.journal.begin(made, attempt(made), send())
    claims = [claim("17", ours=made.id), claim("B-9")]
    await store.ledger_payments.take_in("books", LedgerBatch(claims, [], "1"), T0)
    [candidate] = await candidates(store, "idn")
    assert candidate.payment.key == "B-9"
    assert candidate.exports == [made], "it may be that one, as long as its outcome is unknown"
    await store.journal.end(made, Step(Accept("B-9"), T0))
    assert await candidates(store, "idn") == []


@pytest.mark.asyncio
async def test_what_we_made_is_recognised_by_the_ledgers_key_of_it(store: Store) -> None:
    """A ledger that does not give our key back, read after the answer."""
    await store.journal.arm(T0)
    export = replace(draft(), id="e5", direction=Direction.TO_LEDGER, source=PrecoroPayment(5))
    made = await store.journal.plan(export, Step(Plan(), T0))
    made = await store.journal.begin(made, attempt(made), send())
    await store.journal.end(made, Step(Accept("B-9"), T0))
    await store.ledger_payments.take_in("books", LedgerBatch([claim("17"), claim("B-9")], [], "1"), T0)
    linked = [await store.ledger_payments.linked("books", key) for key in ("17", "B-9")]
    assert [one and one.intent for one in linked] == [None, made.id]


@pytest.mark.asyncio
async def test_a_row_of_a_file_is_the_payment_that_it_was_read_as_first(store: Store) -> None:
    """By what stands in it, and by what it was taken for; news are counted once."""
    take_in = store.ledger_payments.take_in
    first = [claim("17", row="a"), claim("18", row="b")]
    assert await take_in("books", LedgerBatch(first, [], "1"), T0) == 2
    again = [claim("170", row="a"), claim("18", row="other", amount="11.00"), claim("19", row="c")]
    assert await take_in("books", LedgerBatch(again, [], "2"), T0) == 2, "18 says something else, and 19 is new"
    there = {key: await store.ledger_payments.linked("books", key) for key in ("17", "170", "18", "19")}
    assert {key for key, one in there.items() if one is not None} == {"17", "18", "19"}


@pytest.mark.asyncio
async def test_the_paid_set_is_compared_by_pages(store: Store) -> None:
    await mirrored(store, *(invoice(number, status=5) for number in range(1, 8)), invoice(8, status=2))
    assert await store.paid_set.adopted_at() is None
    await store.paid_set.adopt(T0)
    await store.paid_set.adopt(T0 + 1)
    assert await store.paid_set.adopted_at() == T0
    store.paid_set._page = 3
    pages, after = [], 0
    while after is not None:
        after, changed = await store.paid_set.compare(after, known=True)
        pages.append(changed)
    assert pages == [3, 3, 1]
    assert await store.paid_set.due(10) == []
    assert await store.paid_set.compare(0, known=False) == (3, 0)


@pytest.mark.asyncio
async def test_new_changed_and_leaving_invoices_become_due_once(store: Store) -> None:
    store.paid_set._page = 100
    await mirrored(store, invoice(1, status=5), invoice(2, status=5))
    await store.paid_set.compare(0, known=True)
    await mirrored(store, invoice(1, status=2), invoice(2, status=5, note="changed"), invoice(3, status=4))
    assert await store.paid_set.compare(0, known=False) == (None, 2)
    assert await store.paid_set.leave(T0) == 1
    assert await store.paid_set.leave(T0) == 0
    due = await store.paid_set.due(10)
    assert [(one.id, one.idn, one.paid) for one in due] == [(1, 1, False), (2, 2, True), (3, 3, True)]
    assert await store.paid_set.due(1, after=1) == [due[1]]
    assert [one.id for one in await store.paid_set.due(10, after=2)] == [3]
    assert await store.paid_set.due(10, after=3) == []
    for one in due:
        await store.paid_set.done(one)
    assert await store.paid_set.due(10) == []
    await mirrored(store, invoice(1, status=5))
    assert await store.paid_set.compare(0, known=False) == (None, 1), "it has come back"


@pytest.mark.asyncio
async def test_what_the_mirror_has_of_a_due_invoice_by_now_is_read_anew(store: Store) -> None:
    await mirrored(store, invoice(1, status=5), invoice(2, status=5))
    await store.paid_set.compare(0, known=False)
    first, second = await store.paid_set.due(10)
    assert (first.detail, second.detail) == (None, None)
    detail = Detail(2, json.dumps(invoice(2, status=5)))
    await store.mirror.save_detail(Due("invoices", 2, 2, second.version), detail, at=T0)
    assert await store.paid_set.reread(first) == first
    assert (await store.paid_set.reread(second)).detail == detail.raw
    await store.paid_set.done(second)
    assert await store.paid_set.reread(second) == second, "it is due no more"
    assert await store.ledger_payments.detailed_invoice(1) is None
    found = await store.ledger_payments.detailed_invoice(2)
    assert found is not None
    assert (found.id, found.status) == (2, 5)
    await mirrored(store, invoice(1, status=5), invoice(2, status=5, note="changed"))
    assert await store.ledger_payments.detailed_invoice(2) is None, "its detail is older"


@pytest.mark.asyncio
async def test_what_is_written_is_on_the_disk_when_it_returns(store: Store, backend: Backend) -> None:
    """A permission to send that a power cut takes back would be sent twice."""
    assert await backend.is_durable(store)


@pytest.mark.asyncio
@pytest.mark.parametrize("ident", ["7", "no number", "7x", "9" * 30, "-1", ""])
async def test_a_payment_that_the_mirror_lacks_is_none(store: Store, ident: str) -> None:
    assert await store.ledger_payments.mirrored_payment(ident) is None
