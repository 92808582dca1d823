"""help: prints the pages of the manual that ships with the program"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

_PAGES = Path(__file__).parents[1] / "docs"
_HTML_COMMENT = re.compile(r"^<!--.*-->\n+", re.MULTILINE)


@click.command("help")
@click.argument("topic", required=False, metavar="[TOPIC]")
def manual(topic: str | None) -> None:
    """Show a page of the manual, or, without TOPIC, what there is to read."""
    if topic is None:
        _show("".join(f"{name:<12}  {_summary(name)}\n" for name in topics()))
    elif topic in topics():
        _show(_HTML_COMMENT.sub("", _page(topic)))
    else:
        raise click.UsageError(f"help {topic}: there is no such topic; there are {', '.join(topics())}")


def topics() -> list[str]:
    """Returns the names of the pages, which are the valid values of TOPIC."""
    return sorted(page.stem for page in _PAGES.glob("*.md"))


def _page(topic: str) -> str:
    return (_PAGES / f"{topic}.md").read_text("utf-8")


def _summary(topic: str) -> str:
    """Returns the third line of a page, below its title, which says what the page is about."""
    return _page(topic).split("\n", 3)[2]


def _show(text: str) -> None:
    if sys.stdout.isatty():
        click.echo_via_pager(text)
    else:
        click.echo(text, nl=False)
