"""the panel of changes in the shape of Precoro's answers"""

from __future__ import annotations

from collections.abc import Iterator

from precoro_daemon.adapters.listener.html import Html, tag
from precoro_daemon.adapters.listener.panels import sheet
from precoro_daemon.mirror.rules.shapes import ShapeChange
from precoro_daemon.status.snapshot import Stored
from precoro_daemon.values.humanize import moment

_CHANGES_LISTED = 10


def shape_changes(stored: Stored) -> Iterator[Html]:
    """Yields nothing if there are none; changes that persist come first."""
    changes = sorted(stored.shape_changes, key=lambda one: not one.breaks)
    if changes:
        lines = [tag("li", tag("span", _when(one), class_="soft"), tag("br"), str(one)) for one in changes]
        more = len(lines) - _CHANGES_LISTED
        rest = [tag("li", f"and {more:,} more; status --json has them all")] if more > 0 else []
        yield sheet("Precoro's answers changed", tag("ul", *lines[:_CHANGES_LISTED], *rest, class_="plain"))


def _when(one: ShapeChange) -> str:
    return moment(one.at) if one.until is None else f"{moment(one.at)} until {moment(one.until)}"
