"""notify: tests the messages that are sent when something needs a person"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from precoro_daemon.cli.running import config_option, echo, load, run_async
from precoro_daemon.errors import ConfigurationError


@click.group()
def notify() -> None:
    """Messages when something needs a person, and signs of life."""


@notify.command()
@config_option
@click.pass_obj
def test(parent: Path | None, config: Path | None) -> None:
    """Send one message to every target of [notify], and one sign of life."""
    settings = load(config or parent)
    from precoro_daemon.app.notices import send_test

    section = settings.notify
    if not section.addresses and section.heartbeat is None:
        raise ConfigurationError(
            "[notify] names neither targets_file nor heartbeat: see `precoro-daemon help operations`"
        )
    run_async(partial(send_test, settings))
    if section.addresses:
        echo(f"sent to {len(section.addresses)} of {len(section.addresses)} targets: see whether it arrived")
    if section.heartbeat is not None:
        echo("the sign of life was answered")
