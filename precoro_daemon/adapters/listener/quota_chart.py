"""the quota for people: what is left, which lane may spend it, and when it was spent"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from precoro_daemon.adapters.listener.bars import bars, scale
from precoro_daemon.adapters.listener.html import Html, join, tag
from precoro_daemon.quota.limits import Lane
from precoro_daemon.status.snapshot import Hour, Quota, Snapshot
from precoro_daemon.values.humanize import span

_SPENDERS = {
    Lane.PAYMENTS: "Payments",
    Lane.DELIVERIES: "Webhooks",
    Lane.LISTS: "Lists",
    Lane.DETAILS: "Details",
    Lane.FILES: "Files",
    Lane.CENSUS: "Census and back-fill",
}


def quota(snapshot: Snapshot) -> Html:
    hours = snapshot.stored.hours if snapshot.stored else ()
    content = join(*_left(snapshot.quota), *_day(hours, snapshot.quota), *_lanes(snapshot, hours))
    return tag("section", tag("h2", "Quota", id="quota"), content, class_="sheet", aria_labelledby="quota")


def _left(account: Quota) -> Iterator[Html]:
    if (limit := account.limits.get("day")) is None:
        yield tag("p", "A day's calls are not limited.")
        return
    left = account.left["day"]
    yield tag("p", tag("span", left, class_="figure"), f" of {limit:,} calls left in these 24 hours")
    yield tag(
        "svg",
        tag("rect", width=limit, height=1, class_="empty"),
        tag("rect", width=max(0, left), height=1, class_="full"),
        class_="gauge",
        viewBox=f"0 0 {limit} 1",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{left:,} of {limit:,} calls are left",
    )
    if "hour" in account.left:
        yield tag("p", f"{account.left['hour']:,} of {account.limits['hour']:,} left this hour", class_="soft")


def _day(hours: Sequence[Hour], account: Quota) -> Iterator[Html]:
    """Yields a bar for each of the last 24 hours, and the even pace that would use up the day."""
    if not hours or not any(hour.total for hour in hours):
        return
    pace = account.limits.get("day", 0) / 24
    most = max(hours, key=lambda hour: hour.total)
    summary = (
        f"Calls by hour: {sum(hour.total for hour in hours):,} in all, at most {most.total:,}, at {_clock(most)}"
    )
    yield tag("h3", "Calls by hour")
    yield bars([hour.total for hour in hours], summary, mark=pace, last=True)
    yield scale(_clock(hours[0]), _clock(hours[len(hours) // 2]), _clock(hours[-1]))
    even = f"; the dashed line is {pace:.0f} an hour, which would use up the day evenly" if pace else ""
    yield tag("p", f"Most: {most.total:,} calls at {_clock(most)} UTC{even}.", class_="soft")


def _lanes(snapshot: Snapshot, hours: Sequence[Hour]) -> Iterator[Html]:
    account = snapshot.quota
    if not account.lanes or not account.limits:  # calls without a limit are not counted
        return
    rows = [
        tag(
            "tr",
            tag("th", title, _by_hour(title, lane, hours), scope="row"),
            tag("td", sum(hour.calls.get(lane, 0) for hour in hours)),
            tag("td", _may_spend(account.lanes[lane])),
            tag("td", _opens(account, lane, snapshot.now)),
        )
        for lane, title in _SPENDERS.items()
    ]
    titles = ("For", "Spent", "May still spend", "Next call")
    head = tag("thead", tag("tr", *(tag("th", title, scope="col") for title in titles)))
    yield tag("table", tag("caption", "In order of precedence, in 24 hours."), head, tag("tbody", *rows))


def _by_hour(title: str, lane: Lane, hours: Sequence[Hour]) -> Html | None:
    """Returns a chart of the lane's calls by hour."""
    calls = [hour.calls.get(lane, 0) for hour in hours]
    if not any(calls):
        return None
    most = max(calls)
    at = _clock(hours[calls.index(most)])
    return bars(calls, f"{title}: {sum(calls):,} calls, at most {most:,} in an hour, at {at}", last=True, small=True)


def _may_spend(calls: int | None) -> str:
    return "no limit" if calls is None else f"{calls:,}"


def _opens(account: Quota, lane: Lane, now: float) -> str:
    at = account.opens[lane].at
    return f"in {span(at - now)}" if at > now + 2 else "now"


def _clock(hour: Hour) -> str:
    return datetime.fromtimestamp(hour.begins, UTC).strftime("%H:%M")
