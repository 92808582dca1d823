"""all companies as a table for people, and as JSON for programs"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.padding import Padding

from precoro_daemon.app.fleet_order import Roster
from precoro_daemon.app.fleet_view import contradiction_of
from precoro_daemon.cli.console import as_line
from precoro_daemon.cli.sheets import Sheet
from precoro_daemon.status.attention import matters
from precoro_daemon.status.companies import CompanyGlance
from precoro_daemon.values.humanize import span

_NEEDS_CHARS = 34
"""The number of characters shown of each need. The full text is below the table or in `status`."""

_STATES = {"running": "served", "waiting": "not served", "refused": "refused"}


def fleet(found: Sequence[CompanyGlance], roster: Roster | None = None) -> RenderableType:
    """Returns a line for each company, then the reasons why companies are not served, then the workers and who serves
    what.
    """
    differing = {} if roster is None else roster.differing
    reasons = [(one.name, one.reason) for one in found if one.reason]
    reasons += [(name, contradiction_of(workers)) for name, workers in differing.items()]
    return Group(companies(found), *(_why(name, reason) for name, reason in reasons), *_roster(roster))


def companies(found: Sequence[CompanyGlance], *, whole: bool = True) -> Sheet:
    """Returns a table with a row for each company.

    whole  whether to show the need itself, as a sentence that may stand below its row, instead of only its urgency
    """
    titles = ("company", "state", "lists as of", "calls left", "needs a person")
    sentences = "needs a person" if whole else None
    table = Sheet(titles, right=("calls left",), sentences=sentences, sparse=("calls left",))
    for one in found:
        left = "" if one.left_today is None else f"{one.left_today:,}"
        needs = _short(one.needs) if whole else "at once" if one.urgent else "soon" if one.needs else ""
        table.add(one.name, _STATES.get(one.standing, one.standing), one.as_of, left, needs)
    return table


def _roster(roster: Roster | None) -> Iterator[RenderableType]:
    if roster is None:
        return
    workers = Sheet(("worker", "state", "joined", "lease left", "companies"), right=("companies",))
    for one in roster.workers:
        state = "dead" if one.left_s <= 0 else "drained" if one.draining else "serves"
        left = span(one.left_s) if one.left_s > 0 else "none"
        workers.add(one.name, state, f"{span(one.up_s)} ago", left, _share(one.companies, one.most))
    holders = Sheet(("company", "worker", "since", "epoch", "moved to"), right=("epoch",), sparse=("moved to",))
    for each in roster.holders:
        since = "" if each.for_s is None else f"{span(each.for_s)} ago"
        holders.add(each.company, each.worker or "nobody", since, str(each.epoch), each.moved_to or "")
    yield from (workers, holders)


def _share(companies: int, most: int | None) -> str:
    return f"{companies:,}" if most is None else f"{companies:,} of {most:,}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _NEEDS_CHARS else f"{line[: _NEEDS_CHARS - 1]}…"


def _why(name: str, reason: str) -> RenderableType:
    return Group(as_line(f"{name}:", style="bold yellow"), Padding(as_line(reason), (0, 0, 0, 2)))


def as_json(found: Sequence[CompanyGlance], roster: Roster | None = None) -> str:
    """Returns the companies as JSON; for a fleet, also its workers and who serves what. Durations are in seconds."""
    fleet = {} if roster is None else asdict(roster)
    return json.dumps({"companies": [_company(one) for one in found], **fleet}, indent=2, ensure_ascii=False)


def _company(one: CompanyGlance) -> dict[str, object]:
    """Returns the facts of one company.

    reason  why it is refused or cannot be read
    as_of   Unix seconds of the oldest list; null until every list has been read
    needs   titles of what needs a person
    """
    stored = None if one.snapshot is None else one.snapshot.stored
    known = [] if stored is None else [each.as_of for each in stored.mirrored]
    dates = [at for at in known if at is not None]
    return {
        "name": one.name,
        "state": _STATES.get(one.standing, one.standing).replace(" ", "_"),
        "reason": one.reason,
        "as_of": min(dates) if dates and len(dates) == len(known) else None,
        "calls_left_today": one.left_today,
        "needs": [] if one.snapshot is None else [matter.title for matter in matters(one.snapshot)],
    }
