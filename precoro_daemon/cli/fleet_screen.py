"""the live screen while many companies are served: the state of each, and what needs a person"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from precoro_daemon.cli.console import as_line
from precoro_daemon.cli.fleet_tables import companies
from precoro_daemon.cli.service_screen import MATTERS_SHOWN, headline, how_to_end
from precoro_daemon.status.companies import CompanyGlance
from precoro_daemon.values.humanize import span

_LINES_BESIDE_COMPANIES = 7
"""The lines of the screen besides the companies and the sentences: those above the table, its title, the line below
it,
the count of companies left out, and the prompt.
"""


def fleet(found: Sequence[CompanyGlance], height: int, up: float, command: Callable[[str], str]) -> RenderableType:
    """Returns the screen, fitted to `height` lines. If there is no room for all companies, it omits those with the
    least need.

    up       seconds since the process started
    command  returns how this program is called for a company
    """
    lines = list(_lines(found, up, command))
    room = max(height - len(lines) - _LINES_BESIDE_COMPANIES, 1)
    kept = {one.name for one in sorted(found, key=_rank)[:room]} if len(found) > room else None
    shown = [one for one in found if kept is None or one.name in kept]
    left = [as_line(f"and {len(found) - len(shown):,} more")] if kept else []
    return Group(as_line(), companies(shown, whole=False), *left, *lines)


def _rank(one: CompanyGlance) -> tuple[bool, bool, bool, str]:
    return not one.urgent, not one.needs, one.standing in ("running", "elsewhere"), one.name


def _lines(found: Sequence[CompanyGlance], up: float, command: Callable[[str], str]) -> Iterator[Text]:
    served = sum(one.standing == "running" for one in found)
    yield as_line(f"Up for {span(up)}; {served:,} of {len(found):,} companies served.", style="bold")
    needy = sorted((one for one in found if one.needs), key=_rank)
    for one in needy[:MATTERS_SHOWN]:
        yield headline(f"{one.name}: {one.needs.splitlines()[0]}", urgent=one.urgent)
        yield as_line(f"    $ {command(one.name)} {'check' if one.reason else 'status'}", style="cyan", whole=True)
    if (more := len(needy) - MATTERS_SHOWN) > 0:
        yield as_line(f"and {more:,} more that need a person", style="yellow")
    standings = {one.standing for one in found}
    yield how_to_end(stopping="stopping" in standings and not standings & {"running", "starting"})
