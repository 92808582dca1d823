"""Payments told to stop while they are sent: what is on its way arrives, and nothing is sent after it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from precoro_daemon.sandbox import paying
from precoro_daemon.sandbox.filters import moment
from tests.payments.scene import payments
from tests.system.program import finish
from tests.system.test_orders import until
from tests.system.test_payments import Stage, stage

pytestmark = pytest.mark.asyncio


async def paid_at_precoro(it: Stage, count: int) -> None:
    """The mirror knows that a person paid so many invoices, of which the books know nothing; payments are armed."""
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
