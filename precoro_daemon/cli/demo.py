"""the demo: mirrors the sandbox and shows each step"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random

import anyio
from rich.console import Console

from precoro_daemon.cli import tables
from precoro_daemon.cli.demo_payments import show_payments
from precoro_daemon.errors import ConfigurationError
from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from precoro_daemon.sandbox.users import Load, work

_SPEED = 40.0
"""How many times faster than real time the demo's clock runs. A mirror that takes minutes then takes seconds."""

_EDITS = 5

_QUERIES = {
    "approved purchase orders, newest first": """
        SELECT idn, supplier, sum, currency, substr(updated_at, 1, 10) AS updated
        FROM purchase_orders WHERE status = 2 ORDER BY id DESC LIMIT 5""",
    "lines of invoices": """
        SELECT document_idn AS invoice, sku, name, quantity, price, sum FROM invoice_lines LIMIT 5""",
    "attached files": """
        SELECT collection, document_idn AS number, bytes, name
        FROM attachments WHERE path IS NOT NULL ORDER BY attachment_id DESC LIMIT 5""",
    "invoices by status": """
        SELECT status, status_name, count(*) AS invoices FROM invoices
        WHERE vanished_at IS NULL GROUP BY status ORDER BY status""",
    "custom fields of purchase orders, with options by name": """
        SELECT document_idn AS "order", field, type, value, shown, option_path
        FROM document_custom_values WHERE collection = 'purchase_orders'
        ORDER BY document_id DESC, field_id LIMIT 5""",
}


async def show(into: Path, console: Console) -> int:
    """Runs the demo and returns its exit code.

    It serves a made-up company, mirrors it into `into`, queries the database, changes documents, mirrors again and
    shows
    payments.
    """
    async with serve(SandboxOptions(size="small", time_scale=_SPEED)) as sandbox:
        config = await anyio.to_thread.run_sync(_prepare, into, sandbox)
        console.print(f"\n[bold]1. A local Precoro[/] with a made-up company is running at {sandbox.url},")
        console.print(f"   with the documented limits; its time passes {_SPEED:.0f} times faster.")
        code = await _run(console, config, sandbox, "2. Its data is mirrored, one call a second")
        if code == 0:
            console.print("\n[bold]3. The database answers queries[/]")
            await anyio.to_thread.run_sync(_query, into / "demo.db", console)
            changed = work(
                sandbox.company, Random(_EDITS), Load(edit=_EDITS, collections=("purchaseorders", "invoices"))
            )
            title = f"4. People at the company change {len(changed)} documents; only those are fetched again"
            code = await _run(console, config, sandbox, title)
        if code == 0:
            code = await show_payments(console, into, config, sandbox, partial(_run, console, config, sandbox))
        _say_goodbye(into, console)
    return code


async def _run(console: Console, config: Path, sandbox: Sandbox, title: str, *arguments: str) -> int:
    typed = " ".join(arguments or ("--once",))
    console.print(f"\n[bold]{title}[/]")
    console.print(f"   $ {_program()} {typed} --config {_shown(config)}\n", soft_wrap=True)
    before = sandbox.journal.total
    command = [sys.executable, "-m", "precoro_daemon", *typed.split(), "--config", str(config)]
    done = await anyio.run_process(command, check=False, stdin=None, stdout=None, stderr=None)
    refused = sandbox.limits.refusals.total()
    if calls := sandbox.journal.total - before:
        console.print(
            f"   The sandbox answered {calls} calls and refused {refused} for exceeding a limit.", style="dim"
        )
    return done.returncode


def _prepare(into: Path, sandbox: Sandbox) -> Path:
    """Writes the demo's files and returns the path of its configuration. Raises ConfigurationError.

    It creates or replaces only files with the demo's own names, because `into` may be a directory with other files.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--into {into}: no directory can be made there: {error.strerror}") from None
    for old in into.glob("demo.db*"):
        old.unlink()
    files = into / "demo-files"
    if (files / ".precoro-daemon").exists():
        shutil.rmtree(files)
    token = into / "demo-token"
    token.touch(mode=0o600)
    token.write_text(f"{sandbox.token}\n")
    config = into / "demo.toml"
    config.write_text(
        f'[precoro]\nbase_url = "{sandbox.url}"\nemail = "{sandbox.email}"\ntoken_file = "{token.name}"\n\n'
        '[state]\nurl = "sqlite:///demo.db"\n\n'
        f"[limits]\ntime_scale = {_SPEED:.0f}\n\n"
        f'[fetch_attachments]\ndirectory = "{files.name}"\nreserve_bytes = 0\n'
    )
    return config


def _query(path: Path, console: Console) -> None:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        for title, query in _QUERIES.items():
            answer = connection.execute(query)
            titles = [column[0] for column in answer.description]
            console.print(f"\n   {title}:", style="dim")
            console.print(tables.answer(titles, answer.fetchall()))


def _program() -> str:
    """Returns how the reader can call this program: by its name if the shell finds it, otherwise as it was called
    now.
    """
    if shutil.which("precoro-daemon"):
        return "precoro-daemon"
    called = Path(sys.argv[0])
    return "python -m precoro_daemon" if called.name == "__main__.py" else _shown(called)


def _shown(path: Path) -> str:
    """Returns the path relative to the current directory if it lies below it, otherwise the path as given."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _say_goodbye(into: Path, console: Console) -> None:
    there = Path(_shown(into))
    hints = {
        f"{_program()} payments review --config {there / 'demo.toml'}": "what needs a person's decision, and why",
        f"sqlite3 {there / 'demo.db'} .tables": "the mirror: a view for each collection, and for its lines",
        f"find {there / 'demo-files'} -type f": "the attached files, and manifest.jsonl, which lists them",
        f"{_program()} status --config {there / 'demo.toml'}": "how fresh, what is due, what is left of the quota",
        f"{_program()} sandbox": "a company like this for your own rehearsals, with a page that shows it",
        f"{_program()} init": "the same with your own company",
    }
    console.print("\n[bold]What now?[/]")
    for command, meaning in hints.items():
        console.print(f"   {command}", soft_wrap=True)
        console.print(f"      {meaning}", style="dim")
