"""config: the example of all settings, their schema for editors, and the units for systemd"""

from __future__ import annotations

import json
from importlib.resources import files as files_of
from pathlib import Path
from typing import TYPE_CHECKING

import click

from precoro_daemon.cli.running import echo

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


@click.group()
def config() -> None:
    """The example of all settings, their schema for editors, and the units for systemd."""


@config.command()
def example() -> None:
    """Print a configuration with every setting, its meaning and its default."""
    echo(_shipped("config.example.toml").read_text("utf-8"), nl=False)


@config.command()
def schema() -> None:
    """Print the JSON schema of config.toml, by which editors complete and check it."""
    from precoro_daemon.settings.schema import schema

    echo(json.dumps(schema(), indent=2))


@config.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--force", is_flag=True, help="Replace those that are there; they are kept beside the new ones.")
def units(directory: Path, force: bool) -> None:
    """Write the units for systemd into DIR, such as /etc/systemd/system."""
    from precoro_daemon.app.new_files import NewFile, write_together

    shipped = sorted(_shipped("systemd").iterdir(), key=lambda unit: unit.name)
    files = [NewFile(directory.absolute() / unit.name, unit.read_text("utf-8")) for unit in shipped]
    kept = write_together(files, replace=force)
    for line in (*(f"wrote {file.path}" for file in files), *(f"kept {backup}" for backup in kept)):
        echo(line)


def _shipped(name: str) -> Traversable:
    return files_of("precoro_daemon").joinpath("docs").joinpath(name)
