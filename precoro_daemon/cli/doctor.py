"""doctor: a few calls that find out what can only be seen on a live account"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from precoro_daemon.cli.output import facts, wants_json
from precoro_daemon.cli.running import config_option, echo, echo_data, load, make_console, run_async, who

if TYPE_CHECKING:
    from precoro_daemon.settings import Settings
    from precoro_daemon.status.facts import Fact, Suggestion


@click.command()
@click.option("--yes", is_flag=True, help="Make the calls, and write what they show into the configuration, unasked.")
@click.option(
    "--write-test",
    "invoice",
    metavar="INVOICE",
    help="Instead, send the ledger's payment for the invoice of this number, and it alone: does Precoro keep its id?",
)
@config_option
@click.pass_obj
def doctor(parent: Path | None, config: Path | None, yes: bool, invoice: str | None) -> None:
    """See by a few calls how Precoro treats this account: which GETs count as identical, limits, time zone, order and
    totals of lists, sizes of files, webhooks.

    What contradicts the configuration is shown, and written into it if you agree. `status` shows what was found out.
    Beside a running service, that makes the calls.
    """
    path = config or parent or (Path("config.toml") if Path("config.toml").exists() else None)
    settings = load(path)
    if invoice is not None:
        _test_write(settings, invoice, yes=yes)
    from precoro_daemon.app.doctor import advice, examine, forecast_calls

    most, left = forecast_calls(settings)
    echo(f"This takes up to {most} calls{'' if left is None else f' of {left:,} that are left today'}.", err=True)
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if on_terminal and not yes and not click.confirm("Make them?", default=True, err=True):
        raise click.Abort
    found = run_async(lambda: examine(settings))
    wanted = advice(settings, found)
    if wants_json():
        echo_data(_as_json(found, wanted))
        return
    from precoro_daemon.cli import fact_tables

    for part in fact_tables.facts(found, unknown=True):
        make_console().print(part)
    if not wanted:
        echo("The configuration fits.")
        return
    _write(path, wanted, yes=yes, ask=on_terminal)


def _test_write(settings: Settings, invoice: str, *, yes: bool) -> NoReturn:
    given = settings.mark_invoices_paid
    if not given.enabled or given.external_id == "none":
        lack = "is not enabled" if not given.enabled else 'has external_id = "none"'
        raise click.UsageError(f"--write-test: [mark_invoices_paid] {lack}: no payment is sent with an id")
    from precoro_daemon.app.write_test import choose_payment, send_alone
    from precoro_daemon.cli.questions import Questions
    from precoro_daemon.values.money import plain

    chosen = run_async(lambda: choose_payment(settings, invoice, who()))
    amount = f"{plain(chosen.amount)} {chosen.intent.currency}"
    echo(f"This records a payment of the ledger in Precoro, and no other: {chosen.intent}.", err=True)
    echo(f"{amount} are sent once, whatever comes of it. Only Precoro can take it back: cancel it there.", err=True)
    ask = Questions({})
    if not yes and not ask.on_terminal:
        raise click.UsageError("--write-test: nobody is there to ask; give --yes")
    if not yes and not ask.confirm(f"Send {amount} for invoice {invoice} now?", default=False):
        raise click.Abort
    done = run_async(lambda: send_alone(settings, chosen))
    intent = done.intent
    kept = None if done.fact is None else done.fact.value == "kept"
    facts()["payment"] = {"id": intent.id, "state": str(intent.state), "precoro_id": intent.remote_id, "kept": kept}
    for line in done.failed:
        echo(line, err=True)
    if done.fact is None:
        echo(f"This payment shows nothing of ids: it is {intent.state}. {intent.reason}".rstrip(), err=True)
        echo(f"`precoro-daemon payments trace {intent.id[:8]}` tells all of it.", err=True)
        sys.exit(3)
    echo(f"It is payment {intent.remote_id} in Precoro. {done.fact.said.capitalize()}.")
    sys.exit(3 if done.failed else 0)


def _write(path: Path | None, wanted: Sequence[Suggestion], *, yes: bool, ask: bool) -> None:
    for one in wanted:
        echo(f"{one}  # {one.because}")
    if path is None:
        echo("There is no file to write it into: set it where the configuration comes from.")
        return
    if not yes and not (ask and click.confirm(f"Write this into {path}?", default=True, err=True)):
        echo(f"Nothing was written into {path}" + ("." if ask else "; --yes writes it."))
        return
    from precoro_daemon.app.doctor import follow_advice

    follow_advice(path, wanted)
    echo(f"wrote {path}. A service that runs takes it over when it is reloaded.")


def _as_json(seen: Sequence[Fact], wanted: Sequence[Suggestion]) -> str:
    from dataclasses import asdict

    import orjson

    found = {"facts": [asdict(one) for one in seen], "settings": [asdict(one) for one in wanted]}
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
