"""ledger reread, ledger dismiss: reads the ledger again, and hides rows that cannot be read"""

from __future__ import annotations

from pathlib import Path

import click

from precoro_daemon.cli.payments import execute
from precoro_daemon.cli.running import NO_CALL, NO_CALL_TO_PRECORO, config_option, echo, load


@click.command()
@config_option
@click.pass_obj
def reread(parent: Path | None, config: Path | None) -> None:
    """Read the whole ledger again. Safe: a payment that is known is not made a second time."""
    echo(execute(load(config or parent, spare=NO_CALL_TO_PRECORO), "reread"))


@click.command()
@click.argument("key")
@config_option
@click.pass_obj
def dismiss(parent: Path | None, config: Path | None, key: str) -> None:
    """Do not show an unreadable row any more, unless it changes. `payments plan` shows the keys."""
    echo(execute(load(config or parent, spare=NO_CALL), "dismiss", ident=key))
