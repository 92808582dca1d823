"""alerts, dashboards, deployment: files for Prometheus, Grafana, Docker Compose and Kubernetes"""

from __future__ import annotations

from pathlib import Path

import click

from precoro_daemon.cli.running import echo

_DEPLOYMENTS = Path(__file__).parents[1] / "docs" / "deploy"


def _alert_rules() -> str:
    return (Path(__file__).parents[1] / "adapters" / "listener" / "alerts.yml").read_text("utf-8")


def _dashboard() -> str:
    return (_DEPLOYMENTS / "grafana.json").read_text("utf-8")


@click.command()
def alerts() -> None:
    """Print alert rules for Prometheus, to be put beside its configuration and adapted."""
    echo(_alert_rules(), nl=False)


@click.command()
def dashboards() -> None:
    """Print a dashboard for Grafana: import it there, or put it where Grafana looks for dashboards."""
    echo(_dashboard(), nl=False)


@click.command()
@click.argument("way", type=click.Choice(["compose", "kubernetes"]))
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def deployment(way: str, directory: Path) -> None:
    """Write what a fleet needs to run with Docker Compose or in Kubernetes, to be adapted.

    DIRECTORY is made; it must not exist, or be empty. Its README.md says what to type next.
    """
    if directory.exists() and any(directory.iterdir()):
        raise click.UsageError(f"{directory} is not empty, and nothing in it is overwritten; name another directory")
    written = _wanted(way)
    try:
        for path, content in written.items():
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, "utf-8")
    except OSError as error:
        raise click.UsageError(f"{directory} cannot be written: {error.strerror}") from None
    for path in sorted(written):
        echo(str(directory / path))
    echo(f"\nNothing runs yet: {directory / 'README.md'} says what to type next.")


def _wanted(way: str) -> dict[str, str]:
    """Returns the content of each file by its path in the directory."""
    source = _DEPLOYMENTS / way
    wanted = {str(path.relative_to(source)): path.read_text("utf-8") for path in source.rglob("*") if path.is_file()}
    if way == "compose":
        wanted["precoro-daemon.rules.yml"] = _alert_rules()
        wanted["grafana/dashboards/precoro-daemon.json"] = _dashboard()
    return wanted
