"""the part of the demo in which payments go from a ledger to Precoro and back"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path

import anyio
from rich.console import Console

from precoro_daemon.cli import tables
from precoro_daemon.sandbox import Sandbox, paying
from precoro_daemon.sandbox import ledger as sandbox_ledger

_PAID_IN_THE_LEDGER = 3

_SHOWN_STATES = {
    "confirmed": "recorded",
    "review": "held: needs your decision",
    "doubt": "in doubt",
    "planned": "waits",
}

Run = Callable[..., Awaitable[int]]
"""Runs the program with these arguments under a title and returns its exit code."""


async def show_payments(console: Console, into: Path, config: Path, sandbox: Sandbox, run: Run) -> int:
    """Pays invoices in a ledger and at Precoro, and shows how the program records each payment on the other side.

    Returns the exit code.
    """
    ledger = into / "demo-books.db"
    count = await anyio.to_thread.run_sync(_prepare, config, ledger, sandbox)
    console.print(f"\n[bold]5. The company's books[/] ({ledger}) have paid {count} of its invoices")
    steps = (
        ("What would be sent? Nothing is sent so far", "payments", "plan"),
        ("Somebody allows payments to be sent", "payments", "arm", "--yes"),
        ("6. What fits its invoice is recorded in Precoro, once; what is unclear waits for a person", "--once"),
    )
    for title, *arguments in steps:
        if (code := await run(title, *arguments)) != 0:
            return code
    invoice = sandbox_ledger.payable(sandbox.company)[-1]
    owed = invoice.total - invoice.paid
    paying.pay(sandbox.company, "payments", invoice, paying.Wish(owed, sandbox.company.now()))
    console.print(f"\n   Somebody pays invoice {invoice.idn} in Precoro.")
    code = await run("7. That payment is recorded in the books, once", "--once")
    rows = await anyio.to_thread.run_sync(_read_both, ledger, into / "demo.db")
    console.print("\n[bold]8. The books, and what became of each payment in Precoro[/]")
    console.print(tables.answer(("payment", "invoice", "amount", "in Precoro"), rows))
    return code


def _read_both(ledger: Path, state: Path) -> Sequence[tuple[int, str, str, str]]:
    """Returns each payment of the ledger with its state according to the mirror."""
    with closing(sqlite3.connect(f"{state.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        query = "SELECT source, state FROM intents WHERE direction = 'to_precoro'"
        states = dict(connection.execute(query).fetchall())
    return [
        (number, bill, amount, "made there" if key else _SHOWN_STATES.get(states.get(str(number), ""), "not planned"))
        for number, bill, amount, key in sandbox_ledger.read(ledger)
    ]


def _prepare(config: Path, ledger: Path, sandbox: Sandbox) -> int:
    sandbox_ledger.found(ledger)
    with config.open("a") as file:
        file.write(f'\n[payments]\nkill_switch = "demo-payments.stop"\n\n{sandbox_ledger.configuration(ledger)}')
    return sandbox_ledger.pay_some(ledger, sandbox.company, _PAID_IN_THE_LEDGER)
