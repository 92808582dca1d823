"""the facts that were found out about Precoro, as a table for people"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from precoro_daemon.cli.lines import Block
from precoro_daemon.cli.tables import sheet
from precoro_daemon.status.facts import NAMES, Fact
from precoro_daemon.values.humanize import day


def facts(found: Sequence[Fact], *, unknown: bool = False) -> Iterator[Block]:
    """Yields a table of the facts, if there are any.

    unknown  whether to list also what could not be found out, with the reason
    """
    shown = [one for one in found if one.value or unknown]
    if shown:
        table = sheet("about Precoro", "seen on")
        for one in shown:
            table.add(f"{NAMES[one.name]}: {one.said}", day(one.at))
        yield table
