"""state: a backup while the program runs, its restore, and a move to another place"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precoro_daemon.cli.output import facts
from precoro_daemon.cli.running import NO_CALL, config_option, echo, load, overwrite, run_async

if TYPE_CHECKING:
    from precoro_daemon.app.moving import Move, Place


@click.group()
def state() -> None:
    """Back up the state, bring a backup back, or move the state to another place."""


@state.command()
@click.argument("to", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@config_option
@click.pass_obj
def backup(parent: Path | None, to: Path, force: bool, config: Path | None) -> None:
    """Copy the state into FILE while the program goes on. Attached files are copied by other means."""
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.state import back_up_state
    from precoro_daemon.values.humanize import amount

    began = time.monotonic()
    made = run_async(lambda: back_up_state(settings, to, replace=force))
    took, files = time.monotonic() - began, settings.fetch_attachments.directory
    facts().update(path=made.path, bytes=made.size, seconds=round(took, 1), files_left_out=files)
    echo(f"{made.path}: {amount(made.size)}, checked, in {took:.1f} s")
    if files is not None:
        echo(f"not in it: attached files, in {files}")


@state.command()
@click.argument("source", type=click.Path(path_type=Path), metavar="FILE")
@config_option
@click.pass_obj
def restore(parent: Path | None, source: Path, config: Path | None) -> None:
    """Put the backup in FILE in the place of the state, which is kept beside it. Payments are disarmed."""
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.state import place, restore_state

    done = run_async(lambda: restore_state(settings, source))
    facts().update(
        state=place(settings), source=source.absolute(), former=done.former, calls=done.calls, payments="disarmed"
    )
    echo(f"{place(settings)} is restored from {source}")
    if done.former is not None:
        echo(f"the former state is kept as {done.former}; remove it when you no longer need it")
    if done.calls is None:
        echo("the former state could not be read: how many calls it made today is not known", err=True)
    echo("payments are disarmed: check `precoro-daemon payments plan`, then `precoro-daemon payments arm`")


@state.command()
@click.option("--to", "url", required=True, metavar="URL", help="sqlite:///… or postgresql://…, as state.url has it.")
@click.option("--schema-name", metavar="NAME", help="The schema in a PostgreSQL database, as state.schema_name.")
@click.option("--password-file", type=click.Path(path_type=Path), metavar="FILE", help="As state.password_file.")
@click.option("--ca-file", type=click.Path(path_type=Path), metavar="FILE", help="As state.ca_file.")
@click.option("--armed", is_flag=True, help="Keep payments armed if they are. Otherwise they are disarmed.")
@click.option("--replace-zeros", is_flag=True, help="Put U+FFFD for each U+0000, which PostgreSQL cannot hold.")
@config_option
@click.pass_obj
def move(parent: Path | None, /, config: Path | None, *, armed: bool, replace_zeros: bool, **place: Any) -> None:
    """Move the state from the place that the configuration names to URL: from a file to PostgreSQL, or back.

    No service may use it meanwhile. The former state is kept, and says where it went. Cut off, the command is
    repeated.
    """
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.moving import Place, move_state

    named = Place(**place)
    began = time.monotonic()
    done = run_async(
        lambda: move_state(settings, named, armed=armed, replace_zeros=replace_zeros, on_rows=_show_rows)
    )
    if sys.stderr.isatty():
        overwrite()
    _say_moved(done, named, time.monotonic() - began, armed=armed)


def _show_rows(table: str, number: int, count: int) -> None:
    if sys.stderr.isatty():
        overwrite(f"{table}: {number:,} of {count:,} rows")


def _say_moved(done: Move, place: Place, took: float, *, armed: bool) -> None:
    moved = done.moved
    facts().update(
        source=moved.source, target=moved.target, rows=moved.rows, seconds=round(took, 1), former=moved.former,
        payments=moved.switch or None, kill_switch=done.kill_switches[1], settings=_keys(place),
    )  # fmt: skip
    if moved.rows:
        filled = sum(1 for count in moved.rows.values() if count)
        echo(f"moved to {moved.target}: {sum(moved.rows.values()):,} rows of {filled} tables in {took:.1f} s")
    else:
        echo(f"moved to {moved.target}: the rows were there, and the last step is taken now")
    echo(f"the former state {moved.source} is kept and not used any more; remove it when you no longer need it")
    if moved.former is not None:
        echo(f"what stood at the new place is kept as {moved.former}")
    former, new = done.kill_switches
    if former != new:
        echo(f"the kill-switch file is looked for at {new} from now on, no more at {former}")
    echo("change in the configuration, under [state]:")
    for key, value in _keys(place).items():
        echo(f'    {key} = "{value}"')
    echo(_next(moved.switch, armed=armed))


def _keys(place: Place) -> dict[str, str]:
    """Returns the keys that the section [state] needs for the new place. The keys about the former place must be
    removed.
    """
    files = {"password_file": place.password_file, "ca_file": place.ca_file}
    absolute = {key: path and path.absolute() for key, path in files.items()}
    given = {"url": place.url, "schema_name": place.schema_name, **absolute}
    return {key: str(value) for key, value in given.items() if value is not None}


def _next(switch: str, *, armed: bool) -> str:
    if switch == "armed":
        return "payments are still armed; next: `precoro-daemon check`, then start the service"
    if switch == "disarmed":
        again = "were not armed" if armed else "are disarmed"
        return f"payments {again}; next: `precoro-daemon check`, `precoro-daemon payments plan`, then `payments arm`"
    return "next: `precoro-daemon check`, then start the service"
