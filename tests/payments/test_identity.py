"""Whose a payment is: ours by a key of ours alone; a supplier's by what both sides linked."""

from __future__ import annotations

import pytest

from precoro_daemon.payments.rules.entries import key_in, short_key
from precoro_daemon.payments.rules.states import State
from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.rows import Row
from tests.payments.books import DAY
from tests.payments.scene import Scene, payments, scene
from tests.payments.world import HOUR

KEY = "9bc6465b-5c76-5b56-b9ab-84948b070fbd"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (KEY, KEY),
        (f"Precoro {KEY.upper()} (by hand)", KEY),
        (short_key(KEY), short_key(KEY)),
        (f"PD/{short_key(KEY)}/1", short_key(KEY)),
        ("Precoro invoice 12", None),
        ("Precoro ", None),
        ("", None),
        ("9bc6465b-5c76-4b56-b9ab-84948b070fbd", None),  # another program's, of version 4
        (f"{KEY}0", None),
        ("12345678901234567890", None),  # a bank's reference
        (f"{short_key(KEY)}f", None),
    ],
)
def test_a_text_is_ours_by_a_key_alone(text: str, key: str | None) -> None:
    assert key_in(text) == key


@pytest.mark.asyncio
async def test_a_memo_that_begins_with_our_name_is_no_proof() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice, ours="Precoro invoice 12")
    await stage.lap()
    assert payments(invoice) == [10_000]


@pytest.mark.asyncio
async def test_a_key_in_its_short_form_is_found_before_it_is_sent_again() -> None:
    stage = scene(armed=False)
    await stage.export()
    stage.bank.clock.time += 10
    invoice = stage.invoice()
    stage.bank.person_pays(invoice, 10_000, DAY.isoformat())
    await stage.export(after=HOUR)
    stage.pays(invoice, key="B-9", ours=f"Precoro {short_key(stage.intent.id)}")
    stage.armed = True
    await stage.export(after=HOUR)
    assert (stage.intent.state, stage.intent.remote_id) == (State.CONFIRMED, "B-9")
    assert stage.ledger.entries == []


async def linked(stage: Scene, invoice: Row, external_id: str | None) -> None:
    """What Precoro knows the supplier by, and the mirror has seen."""
    supplier = invoice.supplier
    stage.bank.company.edit(supplier, external_id=external_id)
    async with stage.life() as life:
        await life._commit("suppliers", [supplier])


@pytest.mark.asyncio
@pytest.mark.parametrize(("external_id", "state"), [(None, "confirmed"), ("c-7", "confirmed"), ("C-8", "review")])
async def test_a_supplier_that_nobody_linked_cannot_differ(external_id: str | None, state: str) -> None:
    stage = scene()
    invoice = stage.invoice()
    await linked(stage, invoice, external_id)
    stage.pays(invoice, supplier_id="C-7")
    await stage.lap()
    assert stage.intent.state == state


@pytest.mark.asyncio
@pytest.mark.parametrize("said", [{"supplier_id": "C-7"}, {"supplier": "C-7"}])
async def test_a_payment_held_for_its_supplier_is_judged_anew_when_that_is_mended(said: dict[str, str]) -> None:
    stage = scene()
    invoice = stage.invoice()
    await linked(stage, invoice, "C-8")
    stage.pays(invoice, **said)
    for _ in range(2):
        await stage.lap(after=HOUR)
    assert (stage.intent.state, stage.events) == (State.REVIEW, ["hold"])
    assert "the ledger names the supplier 'C-7'" in stage.intent.reason
    await linked(stage, invoice, "C-7")
    await stage.lap(after=HOUR)
    assert payments(invoice) == [10_000]
    assert stage.events[:3] == ["hold", "replan", "send"]


@pytest.mark.asyncio
async def test_what_is_held_for_something_else_stays_held_when_its_supplier_is_mended() -> None:
    stage = scene()
    invoice = stage.invoice()
    await linked(stage, invoice, "C-8")
    stage.pays(invoice, supplier_id="C-7", currency="USD")
    await stage.lap()
    await linked(stage, invoice, "C-7")
    await stage.lap(after=HOUR)
    assert (stage.intent.state, stage.events) == (State.REVIEW, ["hold"])


@pytest.mark.asyncio
async def test_a_number_counts_with_the_ledgers_own_id_of_a_linked_supplier() -> None:
    stage = scene(match_by="number_and_supplier")
    first, other = list(stage.bank.company["suppliers"])[:2]
    mine = stage.invoice(invoiceNumber="2026-1", supplier=first)
    stage.invoice(invoiceNumber="2026-1", supplier=other, status=schema.APPROVED)
    await linked(stage, mine, "C-7")
    stage.ledger.record("17", "2026-1", "100.00", supplier_id="C-7")
    await stage.lap()
    assert payments(mine) == [10_000]
