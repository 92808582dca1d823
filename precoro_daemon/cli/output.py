"""--quiet, --verbose and --json: the same options for every command that prints facts"""

from __future__ import annotations

from typing import Any

import click

_OPTION_KEY = "precoro_daemon.output."
"""The prefix of the keys in click's context, through which all commands of a call see the options wherever they were
typed.
"""

_WITHOUT = frozenset(
    {"completion", "config", "dashboards", "alerts", "deployment", "man", "help", "demo", "sandbox", "run", "init"}
)
"""Commands without these options, because they print texts for programs, ask questions, or serve."""


def is_quiet() -> bool:
    """Returns whether to print only what failed or waits for a person, on the standard error."""
    return _noted("quiet") and not wants_json()


def is_verbose() -> bool:
    """Returns whether to show all columns, whole ids and the lines of the log."""
    return _noted("verbose")


def wants_json() -> bool:
    """Returns whether to print one JSON document and nothing else on the standard output."""
    return _noted("json")


def said() -> list[str]:
    """Returns the list of a command's sentences under --json. They are printed as {"said": …} when the command ends,
    unless
    it printed a document of its own.
    """
    found: list[str] = click.get_current_context().meta.setdefault(f"{_OPTION_KEY}said", [])
    return found


def facts() -> dict[str, Any]:
    """Returns the facts that are printed in the same document as the sentences. Their keys are stable."""
    found: dict[str, Any] = click.get_current_context().meta.setdefault(f"{_OPTION_KEY}facts", {})
    return found


def _noted(name: str) -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(f"{_OPTION_KEY}{name}"))


def _note(context: click.Context, param: click.Parameter, value: bool) -> None:
    """Stores an option in the context. This also works before the command: `precoro-daemon --json status`."""
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
    """Adds the options to the command and its subcommands, except to those that have no use for them. Returns the
    command.
    """
    if name in _WITHOUT or (command.params[-1:] and command.params[-1].name == "json"):
        return command
    if isinstance(command, click.Group):
        for below, one in command.commands.items():
            with_output_options(below, one)
    else:
        command.params += output_options()
    return command
