"""config: the example of all settings, their schema for editors, and the units for systemd"""

from __future__ import annotations

import json
from pathlib import Path

import click

from precoro_daemon.cli.running import echo

_SHIPPED = Path(__file__).parents[1] / "docs"


@click.group()
def config() -> None:
    """The example of all settings, their schema for editors, and the units for systemd."""


@config.command()
def example() -> None:
    """Print a configuration with every setting, its meaning and its default."""
    echo((_SHIPPED / "config.example.toml").read_text("utf-8"), nl=False)


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

    shipped = sorted((_SHIPPED / "systemd").iterdir(), key=lambda unit: unit.name)
    files = [NewFile(directory.absolute() / unit.name, unit.read_text("utf-8")) for unit in shipped]
    kept = write_together(files, replace=force)
    for line in (*(f"wrote {file.path}" for file in files), *(f"kept {backup}" for backup in kept)):
        echo(line)
