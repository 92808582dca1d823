"""the delay of changes for people: by the hour of the day, and by collection"""

from __future__ import annotations

from collections.abc import Iterator

from precoro_daemon.adapters.listener.bars import bars, scale
from precoro_daemon.adapters.listener.html import Html, join, tag
from precoro_daemon.status.freshness import Freshness, of_still_lists
from precoro_daemon.status.snapshot import Snapshot, Stored
from precoro_daemon.values.humanize import a_day, span


def delays(snapshot: Snapshot, stored: Stored) -> Iterator[Html]:
    """Yields nothing before the first scans found changes."""
    known = [(one.name, one.freshness) for one in stored.mirrored if one.freshness is not None]
    if not known:
        return
    changing = [(name, fresh) for name, fresh in known if fresh.changes]
    still = of_still_lists(fresh for _, fresh in known)
    words = tag("p", still, class_="soft") if still else None
    content = join(*_by_hour(stored), *_table(snapshot, changing), words)
    yield tag(
        "section", tag("h2", "How late changes come", id="delays"), content, class_="sheet", aria_labelledby="delays"
    )


def _by_hour(stored: Stored) -> Iterator[Html]:
    known = {hour: delay for hour, delay in enumerate(stored.delays) if delay is not None}
    if not known:
        return
    worst = max(known, key=lambda hour: known[hour])
    most = f"{span(known[worst])} at {worst:02}:00 UTC"
    summary = f"Mean delay by the hour of the day in which changes were made: at most {most}"
    yield tag("h3", "Mean delay by hour of the day")
    yield bars([known.get(hour, 0.0) for hour in range(24)], summary)
    yield scale("00:00", "12:00", "23:00")
    yield tag("p", f"From a change to the scan that brought it, in the last 7 days. Most: {most}.", class_="soft")


def _table(snapshot: Snapshot, changing: list[tuple[str, Freshness]]) -> Iterator[Html]:
    if not changing:
        return
    rows = [
        tag(
            "tr",
            tag("th", name.replace("_", " "), scope="row"),
            tag("td", a_day(fresh.changes)),
            tag("td", a_day(fresh.scans), class_="roomy"),
            tag("td", _delay(fresh)),
            tag("td", _next(snapshot, name)),
        )
        for name, fresh in changing
    ]
    titles = ("Collection", "Changes a day", "Scans a day", "Delay: mean, worst", "Next scan")
    roomy = {"Scans a day": "roomy"}
    head = tag("thead", tag("tr", *(tag("th", title, scope="col", class_=roomy.get(title)) for title in titles)))
    yield tag("table", head, tag("tbody", *rows), class_="named")


def _delay(fresh: Freshness) -> str:
    if fresh.delay is None or fresh.worst is None:
        return "–"
    return f"{span(fresh.delay)}, {span(fresh.worst)}"


def _next(snapshot: Snapshot, name: str) -> str:
    if (at := snapshot.outlook.scans.get(name)) is None:
        return "–"
    return f"in {span(at - snapshot.now)}" if at > snapshot.now else "now"
