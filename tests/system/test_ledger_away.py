"""The real program, beside a PostgreSQL that holds the books: not there at the start, and killed meanwhile."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from tests.adapters.state.postgresql.clusters import cluster_in, short_directory
from tests.contracts.ledgers.databases import READ, table
from tests.payments.scene import payments
from tests.system.program import finish
from tests.system.test_once import until
from tests.system.test_payments import Stage, person_pays, stage

pytestmark = pytest.mark.asyncio

INSERT = """
    INSERT INTO payments (bill, amount, currency, paid_on, changed, precoro_key)
    VALUES (:invoice_idn, :amount, :currency, :paid_on, (SELECT coalesce(max(changed), 0) + 1 FROM payments), :key)"""


def books_on(it: Stage, url: str) -> None:
    it.program.sections["ledger.sql"] = {
        "url": url,
        "read": READ,
        "start": "0",
        "insert": INSERT,
        "find": "SELECT id, amount, currency, paid_on FROM payments WHERE precoro_key = :key",
    }


@pytest.mark.waits
async def test_books_that_come_late_and_are_killed_meanwhile_need_no_restart(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        with ExitStack() as stack:
            place = stack.enter_context(short_directory())
            server = await anyio.to_thread.run_sync(stack.enter_context, cluster_in(place / "books"))
            await anyio.to_thread.run_sync(server.rows, table("postgresql", unique=True))
            await anyio.to_thread.run_sync(server.stop)

            def pay(bill: object, amount: int) -> None:
                last = "(SELECT coalesce(max(changed), 0) + 1 FROM payments)"
                cells = f"VALUES ('{bill}', {amount}, 'EUR', '2026-01-15', {last})"
                server.rows(f"INSERT INTO payments (bill, amount, currency, paid_on, changed) {cells}")

            books_on(it, server.url())
            early, late, by_hand = it.invoice(), it.invoice(), it.invoice()
            assert (await it.command("arm")).code == 0
            async with it.program.running("run") as process:
                await until(lambda: len(it.program.query("SELECT 1 FROM details")) == 3)
                await anyio.to_thread.run_sync(server.start)
                await anyio.to_thread.run_sync(pay, early.idn, 100)
                await until(lambda: payments(early) == [10_000])

                await anyio.to_thread.run_sync(server.stop, "immediate")
                await person_pays(it.sandbox, by_hand, 7_000, "2026-01-20T00:00:00")
                await anyio.sleep(6)  # a lap or more meets no server
                await anyio.to_thread.run_sync(server.start)
                await anyio.to_thread.run_sync(pay, late.idn, 40)
                await until(lambda: payments(late) == [4_000])
                await until(lambda: it.intents().count(("to_ledger", "confirmed")) == 1)
                process.send_signal(signal.SIGTERM)
                done = await finish(process)
            ours = await anyio.to_thread.run_sync(
                server.rows, "SELECT bill, amount FROM payments WHERE precoro_key IS NOT NULL"
            )
        assert done.code == 0
        assert (payments(early), payments(late), payments(by_hand)) == ([10_000], [4_000], [7_000])
        assert ours == [(str(by_hand.idn), Decimal(70))]
        assert sorted(it.intents()) == [("to_ledger", "confirmed")] + [("to_precoro", "confirmed")] * 2
        said = [line["reason"] for line in (*done.only("work_failed"), *done.only("job_blocked"))]
        assert any("the database cannot be reached" in reason for reason in said), said
