"""payments: what would be sent, what a person must decide, and what happened to each"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from precoro_daemon.cli.running import config_option, load, make_console, run_async
from precoro_daemon.errors import gravest

if TYPE_CHECKING:
    from precoro_daemon.domain.intents import Intent
    from precoro_daemon.settings import Settings
    from precoro_daemon.wiring.payments import Desk

T = TypeVar("T")

_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")


@click.group()
@config_option
@click.pass_context
def payments(ctx: click.Context, config: Path | None) -> None:
    """Keep payments in step between the books and Precoro; decide what the program must not."""
    ctx.obj = config or ctx.obj


@payments.command()
@_json_option
@config_option
@click.pass_obj
def plan(parent: Path | None, config: Path | None, as_json: bool) -> None:
    """Read the books and show what would be sent, why, and what is held back. Sends nothing."""
    from precoro_daemon import payment_tables

    outlook = _at_desk(load(config or parent), lambda desk: desk.plan())
    if as_json:
        click.echo(payment_tables.outlook_as_json(outlook))
    else:
        make_console().print(payment_tables.outlook(outlook))


@payments.command()
@config_option
@click.pass_obj
def apply(parent: Path | None, config: Path | None) -> None:
    """Run one lap of both directions now, as far as they are enabled."""
    settings = load(config or parent)
    from precoro_daemon import wiring

    clock = wiring.clock_for(settings)
    enabled = [name for name in wiring.JOB_NAMES if name in wiring.PAYMENT_JOBS and getattr(settings, name).enabled]
    if not enabled:
        raise click.UsageError("neither mark_invoices_paid nor export_payments is enabled in the configuration")
    reports = [run_async(partial(wiring.run, settings, clock, wiring.Wish(name))) for name in enabled]
    for name, report in zip(enabled, reports, strict=True):
        click.echo(f"{name}: {report.brought} steps")
        for line in report.failed:
            click.echo(f"  {line}")
    outlook = _at_desk(settings, lambda desk: desk.look_ahead())
    if outlook.closed:
        click.echo(f"nothing was sent: {outlook.closed}")
    spent = gravest([report.spent for report in reports if report.spent])
    sys.exit(6 if spent else 3 if any(report.failed for report in reports) else 0)


@payments.command()
@_json_option
@config_option
@click.pass_obj
def review(parent: Path | None, config: Path | None, as_json: bool) -> None:
    """List what waits for a person, and what is in doubt."""
    from precoro_daemon import payment_tables

    outlook = _at_desk(load(config or parent), lambda desk: desk.look_ahead())
    if as_json:
        click.echo(payment_tables.outlook_as_json(outlook, only=("review", "doubt")))
    else:
        make_console().print(payment_tables.review(outlook))


@payments.command()
@click.argument("ident", metavar="ID")
@click.option("--payment", metavar="ID", help="The other side's id of it, where we do not know it.")
@config_option
@click.pass_obj
def adopt(parent: Path | None, config: Path | None, ident: str, payment: str | None) -> None:
    """The other side has the payment: take it for done."""
    from precoro_daemon.paying import deciding

    async def work(desk: Desk) -> Intent:
        intent = await deciding.find(desk.keeper, ident)
        return await deciding.adopt(desk.keeper, desk.books, intent, payment, _who())

    _say(_at_desk(load(config or parent), work))


@payments.command()
@click.argument("ident", metavar="ID")
@click.option("--invoice", type=int, metavar="ID", help="Precoro's id of the invoice, where none was found for it.")
@click.option("--force", is_flag=True, help="Though an earlier request may still arrive: you looked yourself.")
@config_option
@click.pass_obj
def repost(parent: Path | None, config: Path | None, ident: str, invoice: int | None, force: bool) -> None:
    """Send the payment (again) in the next lap, if it still fits then."""
    from precoro_daemon.paying import deciding

    async def work(desk: Desk) -> Intent:
        intent = await deciding.find(desk.keeper, ident)
        if invoice is not None:
            return await deciding.assign(desk.keeper, desk.books, intent, invoice, _who())
        return await deciding.repost(desk.keeper, intent, _who(), force=force)

    _say(_at_desk(load(config or parent), work))


@payments.command()
@click.argument("ident", metavar="ID")
@click.option("--reason", default="", help="Kept in the journal.")
@config_option
@click.pass_obj
def drop(parent: Path | None, config: Path | None, ident: str, reason: str) -> None:
    """The payment is not to be sent."""
    from precoro_daemon.paying import deciding

    async def work(desk: Desk) -> Intent:
        return await deciding.drop(desk.keeper, await deciding.find(desk.keeper, ident), _who(), reason)

    _say(_at_desk(load(config or parent), work))


@payments.command()
@config_option
@click.pass_obj
def arm(parent: Path | None, config: Path | None) -> None:
    """Let payments be sent. Look at `payments plan` first."""

    async def work(desk: Desk) -> None:
        await desk.keeper.journal.arm(desk.books.clock.now())

    settings = load(config or parent)
    _at_desk(settings, work)
    click.echo(f"armed: payments are sent from the next lap on; {settings.payments.kill_switch} stops them at once")


@payments.command()
@click.option("--reason", default="", help="Shown wherever payments are held back for it.")
@config_option
@click.pass_obj
def disarm(parent: Path | None, config: Path | None, reason: str) -> None:
    """Let no payment be sent until they are armed again; looking and planning go on."""

    async def work(desk: Desk) -> None:
        said = f"disarmed by {_who()}" + (f": {reason}" if reason else "")
        await desk.keeper.journal.disarm(desk.books.clock.now(), said)

    _at_desk(load(config or parent), work)
    click.echo("disarmed: nothing is sent until `payments arm`")


@payments.command()
@click.argument("ident", metavar="ID")
@_json_option
@config_option
@click.pass_obj
def trace(parent: Path | None, config: Path | None, ident: str, as_json: bool) -> None:
    """Show the whole journal of one payment."""
    from precoro_daemon import payment_tables

    async def work(desk: Desk) -> payment_tables.Trace:
        intent = await deciding.find(desk.keeper, ident)
        journal = desk.keeper.journal
        return payment_tables.Trace(intent, await journal.trace(intent.id), await journal.attempts(intent.id))

    from precoro_daemon.paying import deciding

    found = _at_desk(load(config or parent), work)
    if as_json:
        click.echo(payment_tables.trace_as_json(found))
    else:
        make_console().print(payment_tables.trace(found))


def _at_desk(settings: Settings, work: Callable[[Desk], Awaitable[T]]) -> T:
    from precoro_daemon.wiring.payments import open_desk

    async def run() -> T:
        async with open_desk(settings) as desk:
            return await work(desk)

    return run_async(run)


def _say(intent: Intent) -> None:
    click.echo(f"{intent.id}  {intent}: now {intent.state}")


def _who() -> str:
    """Stands in the journal as the one who decided."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
