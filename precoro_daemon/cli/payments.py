"""payments: shows what would be sent, takes decisions, shows the history of each payment"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from precoro_daemon.cli.output import facts, is_quiet, wants_json
from precoro_daemon.cli.running import (
    NO_CALL,
    NO_CALL_TO_PRECORO,
    config_option,
    echo,
    echo_data,
    load,
    make_console,
    run_async,
    who,
)
from precoro_daemon.errors import CommandUnanswered, StoreEnrolled, StoreHeld, most_severe

if TYPE_CHECKING:
    from precoro_daemon.app.payments import OpenHandler
    from precoro_daemon.payments.commands import Kind
    from precoro_daemon.payments.forecast import LapForecast
    from precoro_daemon.runtime.job import RunReport
    from precoro_daemon.settings import Settings

T = TypeVar("T")


@click.group()
@config_option
@click.pass_context
def payments(ctx: click.Context, config: Path | None) -> None:
    """Keep payments in step between the ledger and Precoro; decide what the program must not."""
    ctx.obj = config or ctx.obj


@payments.command()
@config_option
@click.pass_obj
def plan(parent: Path | None, config: Path | None) -> None:
    """Read the ledger and show what would be sent, why, and what is held back. Sends nothing."""
    from precoro_daemon.cli import payment_tables

    settings = load(config or parent, spare=NO_CALL_TO_PRECORO)
    try:
        execute(settings, "plan")
    except CommandUnanswered as busy:
        echo(f"precoro-daemon: {busy}; this is by what it read before", err=True)
    forecast_of_lap = _forecast(settings)
    if wants_json():
        echo_data(payment_tables.outlook_as_json(forecast_of_lap))
    else:
        _warn(forecast_of_lap)
        make_console().print(payment_tables.forecast_of_lap(forecast_of_lap))


@payments.command()
@config_option
@click.pass_obj
def apply(parent: Path | None, config: Path | None) -> None:
    """Run one lap of both directions now, as far as they are enabled."""
    settings = load(config or parent)
    from precoro_daemon.app.jobs import JOB_NAMES, PAYMENT_JOBS
    from precoro_daemon.app.runs import Wish, run
    from precoro_daemon.app.state import demand_state
    from precoro_daemon.app.values import clock_for

    clock = clock_for(settings)
    enabled = [name for name in JOB_NAMES if name in PAYMENT_JOBS and getattr(settings, name).enabled]
    if not enabled:
        raise click.UsageError("neither mark_invoices_paid nor export_payments is enabled in the configuration")
    demand_state(settings)
    reports: list[RunReport] = []
    for name in enabled:
        try:
            reports.append(run_async(partial(run, settings, clock, Wish(name))))
        except StoreHeld as held:
            obstacle = ""
            with suppress(CommandUnanswered):  # the service already runs a lap
                obstacle = _give(settings, "plan", held)
            echo(
                obstacle
                or "the running service was woken, and sends what may be sent: see `payments review` and its log"
            )
            facts()["by_service"] = True
            break
        if reports[-1].stopped:
            break
    _tell_laps(dict(zip(enabled, reports, strict=False)))
    if any(report.stopped for report in reports):
        sys.exit(130)
    closed = _forecast(settings).closed
    facts()["closed"] = closed or None
    if closed:
        echo(f"nothing is sent: {closed}")
    spent = most_severe([report.spent for report in reports if report.spent])
    sys.exit(6 if spent else 3 if any(report.failed for report in reports) else 0)


def _tell_laps(reports: Mapping[str, RunReport]) -> None:
    facts().setdefault("by_service", False)
    facts()["jobs"] = {
        name: {
            "steps": report.brought,
            "failed": report.failed,
            "stopped": report.stopped,
            "resume_at": report.spent and report.spent.resume_at,
        }
        for name, report in reports.items()
    }
    for name, report in reports.items():
        echo(f"{name}: {report.brought} steps")
        for line in report.failed:
            echo(f"  {line}")


@payments.command()
@config_option
@click.pass_obj
def review(parent: Path | None, config: Path | None) -> None:
    """List what waits for a person, what is in doubt, and what was refused."""
    from precoro_daemon.cli import payment_tables

    forecast_of_lap = _forecast(load(config or parent, spare=NO_CALL))
    if wants_json():
        echo_data(payment_tables.outlook_as_json(forecast_of_lap, only=("review", "doubt", "refused")))
    else:
        _warn(forecast_of_lap)
        make_console().print(payment_tables.review(forecast_of_lap))


@payments.command()
@config_option
@click.pass_obj
def unmatched(parent: Path | None, config: Path | None) -> None:
    """List payments in the ledger that have no matching payable invoice, each with why."""
    from precoro_daemon.cli import payment_tables

    forecast_of_lap = _forecast(load(config or parent, spare=NO_CALL))
    if wants_json():
        echo_data(payment_tables.unmatched_as_json(forecast_of_lap))
    else:
        make_console().print(payment_tables.unmatched(forecast_of_lap))


@payments.command()
@click.argument("ident", metavar="ID")
@click.option("--payment", metavar="ID", help="The other side's id of it, where we do not know it.")
@config_option
@click.pass_obj
def adopt(parent: Path | None, config: Path | None, ident: str, payment: str | None) -> None:
    """Mark the payment as done: it already exists on the other side."""
    echo(execute(load(config or parent, spare=NO_CALL), "adopt", ident=ident, payment=payment))


@payments.command()
@click.argument("ident", metavar="ID")
@click.option(
    "--invoice",
    type=click.IntRange(1, 2**63 - 1),
    metavar="ID",
    help="Precoro's id of the invoice, where none was found for it.",
)
@click.option("--force", is_flag=True, help="Send although an earlier request might still arrive; you have checked.")
@config_option
@click.pass_obj
def repost(parent: Path | None, config: Path | None, ident: str, invoice: int | None, force: bool) -> None:
    """Send the payment (again) in the next lap, if it still fits then."""
    echo(execute(load(config or parent, spare=NO_CALL), "repost", ident=ident, invoice=invoice, force=force))


@payments.command()
@click.argument("ident", metavar="ID")
@click.option("--reason", default="", help="Kept in the journal.")
@config_option
@click.pass_obj
def drop(parent: Path | None, config: Path | None, ident: str, reason: str) -> None:
    """Discard the payment; it will never be sent."""
    echo(execute(load(config or parent, spare=NO_CALL), "drop", ident=ident, reason=reason))


@payments.command()
@click.option("--yes", is_flag=True, help="Do not ask. Without a terminal nobody is asked anyway.")
@config_option
@click.pass_obj
def arm(parent: Path | None, config: Path | None, yes: bool) -> None:
    """Let payments be sent. On a terminal, shows first what would be sent, by direction and currency, and asks."""
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.state import demand_state, kill_switch, place
    from precoro_daemon.cli.payment_tables import grouped
    from precoro_daemon.cli.questions import Questions

    demand_state(settings)
    ask = Questions({})
    if ask.on_terminal:
        headings = [heading for heading, _ in grouped(_forecast(settings).forecasts)]
        for line in headings or ["Nothing is to be sent, by what was read of the ledger last."]:
            echo(line)
    if not yes and not ask.confirm("Allow payments to be sent?", default=not ask.on_terminal):
        raise click.Abort
    armed, *warnings = execute(settings, "arm").splitlines()
    said = f"{armed}; a file {kill_switch(settings)} stops them at once"
    echo("\n".join((said, f"this is the state {place(settings)}", *warnings)))


@payments.command()
@click.option("--reason", default="", help="Shown wherever payments are held back for it.")
@config_option
@click.pass_obj
def disarm(parent: Path | None, config: Path | None, reason: str) -> None:
    """Let no payment be sent until they are armed again; checking and planning go on."""
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.state import place

    echo(f"{execute(settings, 'disarm', reason=reason)}\nthis is the state {place(settings)}")


@payments.command()
@click.argument("ident", metavar="ID")
@config_option
@click.pass_obj
def trace(parent: Path | None, config: Path | None, ident: str) -> None:
    """Show the whole journal of one payment."""
    from precoro_daemon.cli import payment_tables
    from precoro_daemon.payments import decisions

    async def work(opened: OpenHandler) -> payment_tables.Trace:
        recorder = opened.handler.recorder
        intent = await decisions.find(recorder, ident)
        return payment_tables.Trace(
            intent, await recorder.journal.trace(intent.id), await recorder.journal.attempts(intent.id)
        )

    found = _read(load(config or parent, spare=NO_CALL), work)
    if wants_json():
        echo_data(payment_tables.trace_as_json(found))
    else:
        make_console().print(payment_tables.trace(found))


def execute(settings: Settings, kind: Kind, **given: Any) -> str:
    """Executes a command in this process, or through the service that holds the state, and returns its answer."""
    from precoro_daemon.app.control import execute_here
    from precoro_daemon.payments.commands import Command

    try:
        return run_async(partial(execute_here, settings, Command(kind, who(), **given)))
    except StoreHeld as held:
        return _give(settings, kind, held, **given)


def _give(settings: Settings, kind: Kind, held: StoreHeld, **given: Any) -> str:
    """Has the command executed by the process that serves the company: on this machine, or by its worker in the
    fleet.
    """
    from precoro_daemon.payments.commands import Command

    command = Command(kind, who(), **given)
    if isinstance(held, StoreEnrolled):
        from precoro_daemon.app.fleet_commands import give_command

        return run_async(partial(give_command, settings, command, held.company))
    from precoro_daemon.app.control import send_command

    return send_command(settings, command, held)


def _forecast(settings: Settings) -> LapForecast:
    return _read(settings, lambda handler: handler.forecast_lap())


def _warn(found: LapForecast) -> None:
    """With --quiet, prints the count and totals of the payments that wait for a person. Otherwise prints nothing."""
    from precoro_daemon.cli.payment_tables import grouped

    waiting = [one for one in found.forecasts if one.fate in ("review", "doubt", "refused")]
    for heading, _ in grouped(waiting) if is_quiet() else ():
        echo(heading, err=True)


def _read(settings: Settings, work: Callable[[OpenHandler], Awaitable[T]]) -> T:
    """Runs `work` read-only, so that it works while a service holds the state."""
    from precoro_daemon.app.payments import open_handler

    async def run() -> T:
        async with open_handler(settings, read_only=True) as handler:
            return await work(handler)

    return run_async(run)
