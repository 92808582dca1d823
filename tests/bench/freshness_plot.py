"""A plot of delay against calls, as plain SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

_WIDE, _HIGH = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 28, 48
_CALLS = (50, 100, 200, 500, 1_000, 2_000, 5_000)
_MINUTES = (1, 2, 5, 10, 20, 50, 100)
_COLOURS = ("#8a929b", "#0969da", "#1a7f37")
_DASHES = ("", "", ' stroke-dasharray="5 4"')

_Points = Sequence[tuple[float, float]]


def draw(curves: Mapping[str, _Points]) -> str:
    """`curves`: calls a day and minutes, by name. Both axes are logarithmic."""
    return "\n".join([_HEAD, *_grid(), *_lines(curves), "</svg>", ""])


_HEAD = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" role="img" '
    'font-family="system-ui, sans-serif" font-size="13" fill="#57606a">\n'
    "<title>Mean delay of a change by list calls a day</title>\n"
    f'<rect width="{_WIDE}" height="{_HIGH}" fill="#ffffff"/>'
)


def _across(calls: float) -> float:
    return _LEFT + _share(calls, _CALLS) * (_WIDE - _LEFT - _RIGHT)


def _down(minutes: float) -> float:
    return _HIGH - _BOTTOM - _share(minutes, _MINUTES) * (_HIGH - _TOP - _BOTTOM)


def _share(value: float, ticks: Sequence[float]) -> float:
    clamped = min(max(value, ticks[0]), ticks[-1])
    return math.log(clamped / ticks[0]) / math.log(ticks[-1] / ticks[0])


def _grid() -> Iterator[str]:
    for calls in _CALLS:
        x = _across(calls)
        yield _line(x, _TOP, x, _HIGH - _BOTTOM)
        yield _text(x, _HIGH - _BOTTOM + 18, f"{calls:,}", "middle")
    for minutes in _MINUTES:
        y = _down(minutes)
        yield _line(_LEFT, y, _WIDE - _RIGHT, y)
        yield _text(_LEFT - 8, y + 4, f"{minutes}", "end")
    yield _text(_WIDE - _RIGHT, _HIGH - 10, "list calls a day", "end")
    yield _text(8, _TOP - 10, "mean delay in minutes, by weight", "start")


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#eaeef2"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _lines(curves: Mapping[str, _Points]) -> Iterator[str]:
    for number, (name, points) in enumerate(curves.items()):
        colour, dashes = _COLOURS[number], _DASHES[number]
        path = " ".join(f"{_across(calls):.1f},{_down(minutes):.1f}" for calls, minutes in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"{dashes}/>'
        y = _TOP + 20 + 20 * number
        sample = f"{_WIDE - 210},{y - 4} {_WIDE - 180},{y - 4}"
        yield f'<polyline points="{sample}" stroke="{colour}" stroke-width="2.5"{dashes}/>'
        yield _text(_WIDE - 172, y, name, "start")
