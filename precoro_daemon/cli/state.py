"""commands for the state: a backup while the program runs, and the way back"""

from __future__ import annotations

import time
from pathlib import Path

import click

from precoro_daemon.cli.running import NO_CALL, config_option, echo, load, run_async


@click.group()
def state() -> None:
    """Back up the state, or bring a backup back."""


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
    echo(f"{made.path}: {amount(made.size)}, checked, in {time.monotonic() - began:.1f} s")
    if settings.fetch_attachments.directory is not None:
        echo(f"not in it: attached files, in {settings.fetch_attachments.directory}")


@state.command()
@click.argument("source", type=click.Path(path_type=Path), metavar="FILE")
@config_option
@click.pass_obj
def restore(parent: Path | None, source: Path, config: Path | None) -> None:
    """Put the backup in FILE in the place of the state, which is kept beside it. Payments are disarmed."""
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.state import place, restore_state

    done = run_async(lambda: restore_state(settings, source))
    echo(f"{place(settings)} is restored from {source}")
    if done.former is not None:
        echo(f"the former state is kept as {done.former}; remove it when you no longer need it")
    if done.calls is None:
        echo("the former state could not be read: how many calls it made today is not known", err=True)
    echo("payments are disarmed: check `precoro-daemon payments plan`, then `precoro-daemon payments arm`")
