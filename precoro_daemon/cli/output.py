"""--quiet, --verbose and --json: one set of options for every command that prints facts"""

from __future__ import annotations

from typing import Any

import click

_OPTION_KEY = "precoro_daemon.output."
"""Begins what stands in the context of a call: wherever the options were typed, all commands of the call see them."""

_WITHOUT = frozenset(
    {"completion", "config", "dashboards", "alerts", "deployment", "man", "help", "demo", "sandbox", "run", "init"}
)
"""Commands that print texts for programs, ask, or serve: there is nothing to choose."""


def is_quiet() -> bool:
    """Only what failed or waits for a person is said, on the standard error."""
    return _noted("quiet") and not wants_json()


def is_verbose() -> bool:
    """All columns and whole ids are shown, and the log's lines."""
    return _noted("verbose")


def wants_json() -> bool:
    """One JSON document is printed, and nothing else on the standard output."""
    return _noted("json")


def said() -> list[str]:
    """Sentences of a command that wants_json: printed as {"said": …} at its end, unless it printed a document."""
    found: list[str] = click.get_current_context().meta.setdefault(f"{_OPTION_KEY}said", [])
    return found


def facts() -> dict[str, Any]:
    """Printed in the same document, beside the sentences: under keys that stay."""
    found: dict[str, Any] = click.get_current_context().meta.setdefault(f"{_OPTION_KEY}facts", {})
    return found


def _noted(name: str) -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(f"{_OPTION_KEY}{name}"))


def _note(context: click.Context, param: click.Parameter, value: bool) -> None:
    """Also where it stands before the command: `precoro-daemon --json status`."""
    if value:
        context.meta[f"{_OPTION_KEY}{param.name}"] = True


def output_options() -> list[click.Parameter]:
    given: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": _note}
    return [
        click.Option(["-q", "--quiet"], **given, help="Print only what failed or waits for a person."),
        click.Option(["-v", "--verbose"], **given, help="Print all columns and whole ids, and the log's lines."),
        click.Option(["--json"], **given, help="Print one JSON document instead."),
    ]


def with_output_options(name: str, command: click.Command) -> click.Command:
    """The command, and those below it, with the options, unless there is nothing to choose for them."""
    if name in _WITHOUT or (command.params[-1:] and command.params[-1].name == "json"):
        return command
    if isinstance(command, click.Group):
        for below, one in command.commands.items():
            with_output_options(below, one)
    else:
        command.params += output_options()
    return command
