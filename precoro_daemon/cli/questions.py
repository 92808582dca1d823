"""the questions that a command asks on a terminal unless its options answer them"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import click

from precoro_daemon.cli.running import echo
from precoro_daemon.values.visible_text import visible


class Choice(Protocol):
    """Something that a person can choose by its id or its name."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def currency(self) -> str: ...


C = TypeVar("C", bound=Choice)


class Questions:
    """Answers a command's questions from its options, and asks on the terminal for the rest.

    Raises UsageError that names the option if an answer is missing and there is no terminal.

    given  the command's options
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)
        self._on_terminal = sys.stdin.isatty() and sys.stderr.isatty()

    def option(self, name: str) -> Any:
        return self._given.get(name)

    def text(self, name: str, question: str, *, default: str = "", hidden: bool = False) -> str:
        if value := self._given.get(name):
            return str(value)
        if not self._on_terminal:
            if default:
                return default
            raise click.UsageError(f"{question}: there is no terminal to ask on; give {_flag(name, hidden)}")
        shown = None if hidden else visible(default) or None
        while True:
            text = str(click.prompt(visible(question), default=shown, hide_input=hidden, err=True)).strip()
            if hidden or text.isprintable():
                return text
            echo(f"{text} holds a sign that nobody sees, as arrow keys make them; type it again", err=True)

    def missing(self, names: Sequence[str]) -> Sequence[str]:
        """Returns the options that must be given because there is no terminal, and are not."""
        return [] if self._on_terminal else [_flag(name) for name in names if not self._given.get(name)]

    def confirm(self, question: str, *, default: bool) -> bool:
        """Asks for yes or no. Returns the default if there is no terminal."""
        return click.confirm(visible(question), default=default, err=True) if self._on_terminal else default

    def forget(self, *names: str) -> None:
        """Discards the values of these options, so that the questions are asked."""
        for name in names:
            self._given.pop(name, None)

    def again(self, name: str, why: str) -> None:
        """Reports why an answer was refused and discards it, so that it is asked again. Raises UsageError without a
        terminal.
        """
        if not self._on_terminal:
            raise click.UsageError(why)
        echo(why, err=True)
        self.forget(name)

    def line(self, question: str) -> str:
        """Reads an answer that no option can hold in advance. It also reads from a pipe, so that another program can
        answer.
        """
        return str(click.prompt(visible(question), err=True)).strip()

    def choice(self, name: str, what: str, choices: Sequence[C], *, may_be_none: bool = False) -> C | None:
        """Returns the chosen one. None only if `may_be_none`, or if there are no choices. Raises UsageError."""
        if value := self._given.get(name):
            return picked(str(value), what, choices)
        if len(choices) <= 1 and not may_be_none:
            return next(iter(choices), None)
        if not self._on_terminal:
            raise click.UsageError(f"{what}: there is no terminal to ask on; give {_flag(name)}:\n{listed(choices)}")
        return _asked(what, choices, may_be_none=may_be_none)

    @property
    def on_terminal(self) -> bool:
        return self._on_terminal


def picked(value: str, what: str, choices: Sequence[C]) -> C:
    """Returns the choice with this id, else with this name. Raises UsageError."""
    found = [one for one in choices if one.id == value] or [
        one for one in choices if one.name.casefold() == value.casefold()
    ]
    if len(found) != 1:
        why = "there are several of that name" if found else "there is none of that id or name"
        raise click.UsageError(f"{what} {value!r}: {why}; there are:\n{listed(choices)}")
    return found[0]


def listed(choices: Sequence[Choice]) -> str:
    return "\n".join(f"  {visible(line)}" for line in map(_line, choices)) or "  none"


def _line(one: Choice) -> str:
    return f"{one.id}  {one.name}" + (f"  ({one.currency})" if one.currency else "")


def _asked(what: str, choices: Sequence[C], *, may_be_none: bool) -> C | None:
    echo(f"{what}:", err=True)
    for number, one in enumerate(choices, start=1):
        echo(f"  {number}  {visible(_line(one))}", err=True)
    if may_be_none:
        echo("  0  none", err=True)
    lowest = 0 if may_be_none else 1
    number = click.prompt("Number", type=click.IntRange(lowest, len(choices)), default=1, err=True)
    return choices[number - 1] if number else None


def _flag(name: str, hidden: bool = False) -> str:
    return f"--{name.replace('_', '-')}" + ("-file" if hidden else "")
