"""the part of the demo in which payments go from a ledger to Precoro and back"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from rich.console import Console

from precoro_daemon.cli import tables
from precoro_daemon.sandbox import Sandbox, paying
from precoro_daemon.sandbox import ledger as sandbox_ledger

_PAID_IN_THE_LEDGER = 3

Run = Callable[..., Awaitable[int]]
"""Runs the program with these arguments under a title; its exit code."""


async def show_payments(console: Console, into: Path, config: Path, sandbox: Sandbox, run: Run) -> int:
    """Pay some invoices in a ledger, let them be paid at Precoro, and the other way round."""
    ledger = into / "demo-books.db"
    count = await anyio.to_thread.run_sync(_prepare, config, ledger, sandbox)
    console.print(f"\n[bold]5. The company's books[/] ({ledger}) have paid {count} of its invoices")
    steps = (
        ("What would be sent? Nothing is, so far", "payments", "plan"),
        ("Payments are armed", "payments", "arm"),
        ("6. Each payment is made at Precoro, once", "--once"),
    )
    for title, *arguments in steps:
        if (code := await run(title, *arguments)) != 0:
            return code
    invoice = sandbox_ledger.payable(sandbox.company)[-1]
    owed = invoice.total - invoice.paid
    paying.pay(sandbox.company, "payments", invoice, paying.Wish(owed, sandbox.company.now()))
    console.print(f"\n   Somebody pays invoice {invoice.idn} in Precoro.")
    code = await run("7. That payment appears in the books, once", "--once")
    rows = await anyio.to_thread.run_sync(sandbox_ledger.read, ledger)
    rows = [(number, bill, amount, "from Precoro" if key else "") for number, bill, amount, key in rows]
    console.print(tables.answer(("payment", "invoice", "amount", ""), rows))
    return code


def _prepare(config: Path, ledger: Path, sandbox: Sandbox) -> int:
    sandbox_ledger.found(ledger)
    with config.open("a") as file:
        file.write(f'\n[payments]\nkill_switch = "demo-payments.stop"\n\n{sandbox_ledger.configuration(ledger)}')
    return sandbox_ledger.pay_some(ledger, sandbox.company, _PAID_IN_THE_LEDGER)
