"""changes of the shape of Precoro's answers, as a table for people"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from precoro_daemon.cli.lines import Block, Sentence
from precoro_daemon.cli.tables import sheet
from precoro_daemon.values.humanize import day

if TYPE_CHECKING:
    from precoro_daemon.mirror.rules.shapes import ShapeChange

_CHANGES_NAMED = 10


def shape_changes(changes: Sequence[ShapeChange]) -> Iterator[Block]:
    """Yields a table of the changes, with those that break something first."""
    if not changes:
        return
    table = sheet("Precoro's answers changed", "since", "until", sparse=("until",))
    shown = sorted(changes, key=lambda one: not one.breaks)[:_CHANGES_NAMED]
    for one in shown:
        table.add(str(one), day(one.at), "" if one.until is None else day(one.until))
    yield table
    if more := len(changes) - len(shown):
        yield Sentence(f"and {more:,} more; status --json has them all")
