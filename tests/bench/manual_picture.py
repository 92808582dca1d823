"""The picture of what was measured: each figure as a share of what it may be, as plain SVG for light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

_WIDE, _NAMES, _RIGHT = 760, 400, 60
_ROW, _TOP, _BOTTOM = 22, 44, 12
_MOST = 2.0
"""Times what it may be: longer bars are cut off there."""

_MOST_CHARACTERS = 58


class Bar(NamedTuple):
    """A ratio, and how large it may be at most, or must be at least."""

    name: str
    ratio: float
    bound: float
    at_least: bool

    @property
    def share(self) -> float:
        """Of what it may be: up to 1 the aim is met."""
        part, whole = (self.bound, self.ratio) if self.at_least else (self.ratio, self.bound)
        if whole:
            return part / whole
        return _MOST if part else 0.0


_STYLE = (
    "<style>text{fill:#24292f}.met{fill:#1a7f37}.missed{fill:#bc4c00}line{stroke:#57606a}"
    "@media (prefers-color-scheme:dark){text{fill:#d1d7e0}.met{fill:#3fb950}.missed{fill:#f0883e}"
    "line{stroke:#9198a1}}</style>"
)


def draw(bars: Sequence[Bar]) -> str:
    high = _TOP + _ROW * len(bars) + _BOTTOM
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {high}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12">'
    )
    title = "<title>What was measured, as a share of what it may be at most</title>"
    aim = f'<line x1="{_across(1):.0f}" y1="{_TOP - 8}" x2="{_across(1):.0f}" y2="{high - _BOTTOM}"/>'
    said = f'<text x="{_across(1):.0f}" y="{_TOP - 16}" text-anchor="middle">aim; shorter is better</text>'
    return "\n".join([head, title, _STYLE, *_rows(bars), aim, said, "</svg>", ""])


def _rows(bars: Sequence[Bar]) -> Iterator[str]:
    for number, bar in enumerate(bars):
        y = _TOP + _ROW * number
        length = _across(min(bar.share, _MOST)) - _NAMES
        kind = "met" if bar.share <= 1 else "missed"
        yield f'<text x="{_NAMES - 8}" y="{y + 14}" text-anchor="end">{escape(_short(bar.name))}</text>'
        yield f'<rect class="{kind}" x="{_NAMES}" y="{y + 3}" width="{length:.1f}" height="{_ROW - 6}" rx="2"/>'
        yield f'<text x="{_NAMES + length + 6:.1f}" y="{y + 14}">{bar.ratio:g}</text>'


def _across(share: float) -> float:
    return _NAMES + share / _MOST * (_WIDE - _NAMES - _RIGHT)


def _short(name: str) -> str:
    return name if len(name) <= _MOST_CHARACTERS else f"{name[: _MOST_CHARACTERS - 1]}…"
