"""exports: shows what was pushed to receivers, what waits and what is dead; replays or drops it"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from precoro_daemon.cli.output import wants_json
from precoro_daemon.cli.running import NO_CALL, config_option, echo, echo_data, load, make_console, run_async

if TYPE_CHECKING:
    from precoro_daemon.app.pushes import PushLog
    from precoro_daemon.exports.ports.pushes import Push


@click.group()
@config_option
@click.pass_context
def exports(ctx: click.Context, config: Path | None) -> None:
    """Exports of kind push: their log, and what a receiver did not take."""
    ctx.obj = config or ctx.obj


@exports.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@config_option
@click.pass_obj
def show(parent: Path | None, config: Path | None, names: Sequence[str]) -> None:
    """Show how far each is, what was pushed last, and the dead letters."""
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.pushes import show_pushes

    found = run_async(lambda: show_pushes(settings, names))
    if wants_json():
        import orjson

        rows = [asdict(one) for one in found]
        echo_data(orjson.dumps({"exports": rows}, option=orjson.OPT_INDENT_2).decode())
        return
    for one in found:
        _print(one)
    if not found:
        echo("There is no export of kind push in the configuration.")


@exports.command()
@click.argument("name")
@click.option("--from", "since", metavar="MOMENT", default="", help="All that changed since then; 0: everything.")
@config_option
@click.pass_obj
def replay(parent: Path | None, config: Path | None, name: str, since: str) -> None:
    """Push the dead letters of an export again or, with --from, all that changed since a moment.

    An export that stopped since its receiver was gone goes on. Beside a running service, that does it.
    """
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.pushes import replay_pushes

    echo(run_async(lambda: replay_pushes(settings, name, since)))


@exports.command()
@click.argument("name")
@click.argument("ident", required=False, metavar="[ID]")
@click.option("--all", "every", is_flag=True, help="All dead letters.")
@config_option
@click.pass_obj
def drop(parent: Path | None, config: Path | None, name: str, ident: str | None, every: bool) -> None:
    """Drop a push that the receiver did not take, or all dead letters. Beside a running service, that does it."""
    if (ident is None) != every:
        raise click.UsageError("name the ID of one, or --all")
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.pushes import ALL_DEAD, drop_pushes

    echo(run_async(lambda: drop_pushes(settings, name, ident or ALL_DEAD)))


def _print(log: PushLog) -> None:
    from precoro_daemon.values.humanize import many

    counts = ", ".join(f"{log.counts.get(state, 0):,} {state}" for state in ("delivered", "waiting", "dead"))
    behind = f"{many(log.behind, 'change')} to go" if log.behind else "has everything"
    echo(f"{log.export}: at change {log.position:,}, {behind}; in its log {counts}.")
    if log.stopped:
        echo(
            "It stopped, as its receiver answered 410 Gone. Change its url, or type: "
            f"precoro-daemon exports replay {log.export}"
        )
    if log.latest:
        make_console().print(_sheet(log.latest))
    if log.dead:
        echo("Dead letters:")
        make_console().print(_sheet(log.dead))


def _sheet(pushes: Sequence[Push]) -> object:
    from precoro_daemon.cli.sheets import Sheet
    from precoro_daemon.values.humanize import moment

    sheet = Sheet(
        ("tried", "id", "state", "tries", "answer"), right=("tries",), sentences="answer", sparse=("answer",)
    )
    for one in pushes:
        sheet.add(moment(one.tried_at), one.id, one.state, f"{one.attempts:,}", one.answer)
    return sheet
