"""Payments told to stop while they are sent: what is on its way arrives, and nothing is sent after it."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from precoro_daemon.sandbox import paying
from precoro_daemon.sandbox.filters import moment
from tests.payments.scene import payments
from tests.system.program import finish
from tests.system.test_orders import until
from tests.system.test_payments import Stage, stage

pytestmark = pytest.mark.asyncio


async def paid_at_precoro(it: Stage, count: int) -> None:
    """The mirror knows that a person paid so many invoices, of which the ledger know nothing; payments are armed."""
    it.program.sections["export_payments"]["adopt_existing"] = False
    for _ in range(count):
        paying.pay(
            it.sandbox.company,
            "payments",
            it.invoice(),
            paying.Wish(10_000, moment("2026-01-20T00:00:00", "payDate")),
        )
    for name in ("mirror_collections", "fetch_details"):
        await it.once("--only", name)
    assert (await it.command("arm")).code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stopped_apply_does_not_begin_the_other_direction(tmp_path: Path, number: signal.Signals) -> None:
    async with stage(tmp_path) as it:
        await paid_at_precoro(it, 1)
        invoice = it.invoice()
        await it.once("--only", "mirror_collections")
        await it.pays(invoice)
        it.sandbox.tune(latency=2.0)
        async with it.program.running("payments", "apply") as process:
            await until(lambda: it.intents() == [("to_precoro", "planned")])
            process.send_signal(number)
            done = await finish(process)
        assert (done.code, done.stderr) == (130, ""), done
        assert done.stdout.startswith("mark_invoices_paid: ")
        assert "export_payments" not in done.stdout
        assert it.entries == []
        assert payments(invoice) == []


SLOW = """CREATE TRIGGER slow AFTER INSERT ON payments BEGIN
    UPDATE payments SET supplier = supplier WHERE id = (
        WITH RECURSIVE counting (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counting WHERE n < 1000000)
        SELECT max(n) FROM counting);
END"""
"""Some tenths of a second for each payment that the ledger take."""


@pytest.mark.parametrize("arguments", [("run",), ("--once",)])
async def test_after_a_signal_nothing_more_is_sent_to_the_books(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    async with stage(tmp_path) as it:
        await paid_at_precoro(it, 12)
        await anyio.to_thread.run_sync(_slow_down, it.ledger)
        async with it.program.running(*arguments) as process:
            await until(lambda: it.entries, within=90)
            process.send_signal(signal.SIGTERM)
            before = len(it.entries)
            done = await finish(process, within=180)
        assert (done.code, done.stderr) == (130 if "--once" in arguments else 0, ""), done
        assert len(it.entries) <= before + 2, "what was on its way"
        states = it.intents()
        assert states.count(("to_ledger", "planned")) == 12 - len(it.entries)
        assert not {"sending", "doubt"} & {state for _, state in states}


def _slow_down(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute(SLOW)
