"""doctor: a few calls that settle what only a live account can tell"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from precoro_daemon.cli.output import wants_json
from precoro_daemon.cli.running import config_option, echo, echo_data, load, make_console, run_async

if TYPE_CHECKING:
    from precoro_daemon.status.facts import Fact, Suggestion


@click.command()
@click.option("--yes", is_flag=True, help="Make the calls, and write what they show into the configuration, unasked.")
@config_option
@click.pass_obj
def doctor(parent: Path | None, config: Path | None, yes: bool) -> None:
    """See by a few calls how Precoro treats this account: which GETs count as identical, limits, time zone, order and
    totals of lists, sizes of files, webhooks.

    What contradicts the configuration is shown, and written into it if you agree. `status` shows what was found out.
    Beside a running service, that makes the calls.
    """
    path = config or parent or (Path("config.toml") if Path("config.toml").exists() else None)
    settings = load(path)
    from precoro_daemon.app.doctor import advice, examine, forecast_calls

    most, left = forecast_calls(settings)
    echo(f"This takes up to {most} calls{'' if left is None else f' of {left:,} that are left today'}.", err=True)
    on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if on_terminal and not yes and not click.confirm("Make them?", default=True, err=True):
        raise click.Abort
    facts = run_async(lambda: examine(settings))
    wanted = advice(settings, facts)
    if wants_json():
        echo_data(_as_json(facts, wanted))
        return
    from precoro_daemon.cli import fact_tables

    for part in fact_tables.facts(facts, unknown=True):
        make_console().print(part)
    if not wanted:
        echo("The configuration fits.")
        return
    _write(path, wanted, yes=yes, ask=on_terminal)


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


def _as_json(facts: Sequence[Fact], wanted: Sequence[Suggestion]) -> str:
    from dataclasses import asdict

    import orjson

    found = {"facts": [asdict(one) for one in facts], "settings": [asdict(one) for one in wanted]}
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
