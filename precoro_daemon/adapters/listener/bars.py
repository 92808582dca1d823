"""a bar chart with a bar for each hour of a day, or for each day of some weeks"""

from __future__ import annotations

from collections.abc import Sequence

from precoro_daemon.adapters.listener.html import Html, tag

_WIDE, _HIGH = 10, 100
"""Width and height of a bar in the drawing's units."""


def bars(
    values: Sequence[float], summary: str, *, mark: float = 0.0, last: bool = False, small: bool = False
) -> Html:
    """summary  the chart in words
    mark     a level shown by a dashed line, 0 for none
    last     whether the last bar's period is unfinished
    small    whether it is one of several charts below a name
    """
    top = max(mark, *values) * 1.08 or 1.0
    level = f"{_HIGH * (1 - mark / top):.1f}"
    drawn = [_bar(value / top, number, last and number == len(values) - 1) for number, value in enumerate(values)]
    return tag(
        "svg",
        tag("title", summary),
        *drawn,
        tag("line", x1=0, x2=_WIDE * len(values), y1=_HIGH, y2=_HIGH, class_="base"),
        tag("line", x1=0, x2=_WIDE * len(values), y1=level, y2=level, class_="mark") if mark else None,
        class_="hours small" if small else "hours",
        viewBox=f"0 0 {_WIDE * len(values)} {_HIGH}",
        preserveAspectRatio="none",
        role="img",
        aria_label=summary,
    )


def scale(*words: str) -> Html:
    """Returns the labels below a chart: left, middle, right."""
    return tag("div", *(tag("span", one) for one in words), class_="scale")


def _bar(part: float, number: int, present: bool) -> Html:
    high = _HIGH * part
    return tag(
        "rect",
        x=number * _WIDE + 1.2,
        y=f"{_HIGH - high:.1f}",
        width=7.6,
        height=f"{high:.1f}",
        class_="now" if present else "full",
    )
