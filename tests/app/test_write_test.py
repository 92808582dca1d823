"""doctor --write-test: one payment that a person names is sent, once, and no other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from precoro_daemon.app.control import execute_here
from precoro_daemon.app.state_reading import read_snapshot
from precoro_daemon.app.write_test import choose_payment, send_alone
from precoro_daemon.errors import DecisionRefused
from precoro_daemon.payments.commands import Command
from precoro_daemon.payments.rules.states import State
from precoro_daemon.sandbox import ledger as sandbox_ledger
from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.rows import Row
from tests.mirror.stage import Stage, stage

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def two_paid(directory: Path, **options: Any) -> AsyncIterator[tuple[Stage, Row, Row]]:
    """A ledger that has paid two invoices; neither payment was sent. In real time, so that a slow machine does not
    make what was judged too old to be sent."""
    async with stage(directory, counts={"suppliers": 2}, time_scale=1.0, **options) as shown:
        ledger = directory / "books.db"
        supplier = next(iter(shown.sandbox.company["suppliers"]))
        given = {"status": schema.APPROVED, "total": 10_000, "currency": "EUR", "supplier": supplier}
        one, other = (shown.sandbox.company.create("invoices", **given) for _ in range(2))
        await to_thread.run_sync(sandbox_ledger.found, ledger)
        for invoice in (one, other):
            await to_thread.run_sync(sandbox_ledger.record, ledger, invoice, 10_000, "2026-01-15")
        sql = {"url": f"sqlite:///{ledger}", "read": sandbox_ledger.READ, "start": "0"}
        shown.sections |= {
            "mirror_collections": {"collections": ("invoices", "payments", "suppliers")},
            "ledger": {"kind": "sql", "name": "books", "sql": sql},
            "mark_invoices_paid": {"enabled": True, "match_by": "idn"},
        }
        await shown.run()
        yield shown, one, other


async def arm(shown: Stage) -> None:
    await execute_here(shown.settings, Command("arm", "me"))


def paid(invoice: Row) -> list[int]:
    return [payment.total for payment in invoice.linked or () if payment.status != schema.CANCELED]


async def known(shown: Stage) -> str:
    snapshot = await to_thread.run_sync(read_snapshot, shown.settings, "precoro-daemon")
    assert snapshot.stored is not None
    return next((fact.value for fact in snapshot.stored.facts if fact.name == "external_ids"), "")


@pytest.mark.parametrize(("keeps", "value"), [(True, "kept"), (False, "dropped")])
async def test_one_payment_is_sent_and_tells_whether_its_id_is_kept(tmp_path: Path, keeps: bool, value: str) -> None:
    async with two_paid(tmp_path, keep_external_id=keeps) as (shown, one, other):
        await arm(shown)
        chosen = await choose_payment(shown.settings, str(one.idn), "me")
        assert (paid(one), paid(other)) == ([], []), "to choose sends nothing"
        done = await send_alone(shown.settings, chosen)
        assert (done.intent.state, done.failed) == (State.CONFIRMED, [])
        assert done.fact is not None
        assert (done.fact.value, await known(shown)) == (value, value)
        assert (paid(one), paid(other)) == ([10_000], [])
        with pytest.raises(
            DecisionRefused, match=f"no payment of the ledger for invoice {one.idn} would be sent now"
        ):
            await choose_payment(shown.settings, str(one.idn), "me")
        report = await shown.run()
        assert (paid(one), paid(other)) == ([10_000], [10_000]), report


async def test_what_was_chosen_before_is_not_sent_twice(tmp_path: Path) -> None:
    async with two_paid(tmp_path) as (shown, one, _):
        await arm(shown)
        chosen = await choose_payment(shown.settings, str(one.idn), "me")
        for _ in range(2):
            await send_alone(shown.settings, chosen)
        assert paid(one) == [10_000]


async def test_an_unclear_answer_shows_nothing_and_is_a_doubt(tmp_path: Path) -> None:
    async with two_paid(tmp_path) as (shown, one, other):
        await arm(shown)
        shown.sandbox.faults.add("commit_then_cut", method="POST", path="^/payments", times=1)
        chosen = await choose_payment(shown.settings, str(one.idn), "me")
        done = await send_alone(shown.settings, chosen)
        assert (done.intent.state, done.fact) == (State.DOUBT, None)
        assert (paid(one), paid(other), await known(shown)) == ([10_000], [], "")
        with pytest.raises(DecisionRefused, match="would be sent now: "):
            await choose_payment(shown.settings, str(one.idn), "me")


async def test_nothing_is_sent_from_a_state_that_is_disarmed_or_for_another_invoice(tmp_path: Path) -> None:
    async with two_paid(tmp_path) as (shown, one, other):
        with pytest.raises(DecisionRefused, match="nothing is sent: they were never armed"):
            await choose_payment(shown.settings, str(one.idn), "me")
        await arm(shown)
        with pytest.raises(DecisionRefused, match="no payment of the ledger for invoice 999 would be sent now;"):
            await choose_payment(shown.settings, "999", "me")
        chosen = await choose_payment(shown.settings, str(one.idn), "me")
        await execute_here(shown.settings, Command("disarm", "me"))
        done = await send_alone(shown.settings, chosen)
        assert (done.intent.state, done.fact) == (State.PLANNED, None)
        assert (paid(one), paid(other)) == ([], [])
