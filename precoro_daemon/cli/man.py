"""man: writes the help of each command as a page for man(1)"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from precoro_daemon import __version__
from precoro_daemon.cli.running import EXIT_CODES, echo

_COMMAND = "precoro-daemon"


@click.command("man")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.pass_context
def man(ctx: click.Context, directory: Path) -> None:
    """Write a page for man(1) for each command into DIR, such as ~/.local/share/man/man1."""
    directory.mkdir(parents=True, exist_ok=True)
    program = ctx.find_root().command
    pages = dict(_pages(click.Context(program, info_name=_COMMAND, **program.context_settings)))
    for name, text in pages.items():
        (directory / f"{name}.1").write_text(text, "utf-8")
    echo(f"wrote {len(pages)} pages to {directory.absolute()}; read them with: man {_COMMAND}")


def _pages(ctx: click.Context) -> Iterator[tuple[str, str]]:
    """Yields name and text of each page. The names follow git: precoro-daemon, precoro-daemon-payments-plan."""
    below = dict(_below(ctx))
    name = ctx.command_path.replace(" ", "-")
    yield name, "\n".join(_page(ctx, name, below)) + "\n"
    for one in below.values():
        yield from _pages(one)


def _below(ctx: click.Context) -> Iterator[tuple[str, click.Context]]:
    if isinstance(ctx.command, click.Group):
        for name in sorted(ctx.command.list_commands(ctx)):
            command = ctx.command.get_command(ctx, name)
            if command is not None and not command.hidden:
                yield name, click.Context(command, parent=ctx, info_name=name)


def _page(ctx: click.Context, name: str, below: dict[str, click.Context]) -> Iterator[str]:
    command = ctx.command
    yield f'.TH "{name.upper()}" "1" "" "{_COMMAND} {__version__}"'
    yield from (".SH NAME", f"{_shown(name)} \\- {_shown(command.get_short_help_str(120))}")
    usage = " ".join(command.collect_usage_pieces(ctx))
    yield from (".SH SYNOPSIS", f".B {_shown(ctx.command_path)}", _shown(usage))
    yield from (".SH DESCRIPTION", *_paragraphs(command.help or ""))
    records = filter(None, (option.get_help_record(ctx) for option in command.get_params(ctx)))
    options = [(names, meaning) for names, meaning in records if meaning]
    yield from (*_list("OPTIONS", options), *_list("COMMANDS", ((one, _about(each)) for one, each in below.items())))
    if ctx.parent is None:
        yield from _list("EXIT STATUS", ((str(code), meaning) for code, meaning in EXIT_CODES.items()))
        yield from (".SH SEE ALSO", f"The manual: {_shown(f'{_COMMAND} help')}")


def _about(ctx: click.Context) -> str:
    return f"{ctx.command.get_short_help_str(120)} See {ctx.command_path.replace(' ', '-')}(1)."


def _list(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    entries = [line for term, meaning in rows for line in (".TP", f".B {_shown(term)}", _shown(meaning))]
    return iter((f".SH {title}", *entries) if entries else ())


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        yield from (".PP", _shown(" ".join(paragraph.split())))


def _shown(text: str) -> str:
    """Returns the text escaped for roff, so that no character of it acts as a command."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = "".join(sign if sign.isascii() else f"\\[u{ord(sign):04X}]" for sign in text)
    return f"\\&{text}" if text.startswith((".", "'")) else text
