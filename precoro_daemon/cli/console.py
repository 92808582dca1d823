"""a console that escapes control characters in foreign text before they reach the terminal"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from precoro_daemon.values.visible_text import visible, visible_lines


class SafeConsole(Console):
    """A console that makes control characters visible as the last step before the terminal, if nothing did so
    before.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible_lines(segment.text))


def as_line(words: str = "", style: str = "", *, whole: bool = False) -> Text:
    """Returns one line for people. It makes control characters in `words` visible, and keeps line breaks at both
    ends.

    whole  whether the line is never wrapped
    """
    body = words.strip("\n")
    before, _, after = words.partition(body) if body else (words, "", "")
    text = f"{before}{visible(body)}{after}"
    return Text(text, style=style, no_wrap=whole or None, overflow="ignore" if whole else None)
