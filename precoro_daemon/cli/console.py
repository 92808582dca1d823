"""the console, and lines and tables on it, in which foreign text can do nothing to the terminal"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from precoro_daemon.values.visible_text import visible, visible_lines


class SafeConsole(Console):
    """The last place before the terminal: what nobody made visible before the layout is made so here."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible_lines(segment.text))


def as_line(words: str = "", style: str = "", *, whole: bool = False) -> Text:
    """One line for people, whatever foreign text is in it; line breaks around it are ours. `whole`: never wrapped."""
    body = words.strip("\n")
    before, _, after = words.partition(body) if body else (words, "", "")
    text = f"{before}{visible(body)}{after}"
    return Text(text, style=style, no_wrap=whole or None, overflow="ignore" if whole else None)
