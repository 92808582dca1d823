"""the panels of the page: pending work, jobs, freshness, recent failures"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from precoro_daemon.adapters.listener.html import Html, tag
from precoro_daemon.runtime.job_state import JobStatus
from precoro_daemon.status.attention import QUARANTINED, heals
from precoro_daemon.status.reading import FileState
from precoro_daemon.status.snapshot import CollectionStatus, Snapshot, Stored
from precoro_daemon.values.humanize import amount, moment, span

_FAILURES_LISTED = 10
_PLANS_LISTED = 10
_FOLDED_FROM = 4
"""Least number of unchanged lists that are folded; fewer take no more room than the line that counts them."""

_FAILURE_LETTERS = 300
"""Characters of one failure."""


def waiting(snapshot: Snapshot) -> Html:
    """Returns the panel of pending work."""
    lines = list(_what_waits(snapshot))
    content = tag("ul", *lines, class_="plain") if lines else tag("p", "Nothing waits.")
    return sheet("What waits", content)


def _what_waits(snapshot: Snapshot) -> Iterator[Html]:
    stored = snapshot.stored
    if stored is None:
        yield tag("li", "The state has not been read yet.")
        return
    yield from _documents(snapshot)
    yield from _files(stored.files)
    yield from _quarantined(snapshot, stored)
    yield from _deliveries(snapshot, stored)
    if stored.grant is not None:
        yield tag("li", stored.grant.words)
    for plan in stored.items[:_PLANS_LISTED]:
        if plan.open:
            left = snapshot.seconds_left(plan)
            rest = f"; the rest takes about {span(left)}" if left else ""
            yield tag("li", f"Item changes of {plan.supplier}: {plan.open:,} of {sum(plan.counts.values()):,}{rest}.")
    if owed := [words(one.name) for one in stored.mirrored if one.census == "owed"]:
        yield tag("li", f"A census of {', '.join(owed)}: the last listing was not proved complete.")


def _documents(snapshot: Snapshot) -> Iterator[Html]:
    stored = snapshot.stored
    if words := snapshot.to_go:
        yield tag("li", words)
    elif stored is not None and stored.backlog:  # calls are not limited
        yield tag("li", f"{stored.backlog:,} documents lack their lines and details.")


def _files(files: FileState) -> Iterator[Html]:
    if files.due.files:
        yield tag("li", f"{files.due.files:,} attached files ({amount(files.due.bytes)}).")
    if files.too_large:
        yield tag("li", f"{len(files.too_large):,} files are left out, as they are larger than max_bytes.")


def _quarantined(snapshot: Snapshot, stored: Stored) -> Iterator[Html]:
    for stage, what in QUARANTINED.items():
        count = sum(count for (_, one), count in stored.quarantined_counts.items() if one == stage)
        if count and heals(stage, stored, snapshot.now):
            yield tag("li", f"{capital(what)}, and are tried again: {count:,}.")


def _deliveries(snapshot: Snapshot, stored: Stored) -> Iterator[Html]:
    counts = stored.deliveries
    if counts.last_at is None:
        if snapshot.webhooks:
            yield tag("li", "No webhook came yet.")
        return
    waiting = f"{counts.waiting:,} webhooks wait" if counts.waiting else "No webhook waits"
    missed = f"; {counts.unheard:,} changes of the last day came without one" if counts.unheard else ""
    yield tag("li", f"{waiting}; the last came {_ago(snapshot.now, counts.last_at)}{missed}.")


def fresh(stored: Stored, now: float) -> Html:
    """Returns how old each collection's mirror may be; collections with nothing to report are folded."""
    caption = f"What Precoro has, as it was read {_ago(now, stored.read_at)}."
    still = [one for one in stored.collections if _is_still(one)]
    others = [one for one in stored.collections if not _is_still(one)]
    if len(still) < _FOLDED_FROM:
        return sheet("How fresh", _ages(stored.collections, now, caption))
    oldest = min(one.as_of or 0.0 for one in still)
    summary = f"{len(still)} lists without a change in 7 days, the oldest as of {_ago(now, oldest)}"
    folded = tag("details", tag("summary", summary), _ages(still, now, ""))
    return sheet("How fresh", *([_ages(others, now, caption)] if others else []), folded)


def _is_still(one: CollectionStatus) -> bool:
    """Returns whether the collection was listed, has nothing due, and does not change."""
    changes = one.freshness is not None and one.freshness.changes > 0
    return one.mirrored and one.as_of is not None and not (changes or one.due or one.census or one.short)


def _ages(collections: Sequence[CollectionStatus], now: float, caption: str) -> Html:
    rows = [
        tag(
            "tr",
            tag("th", words(one.name), scope="row"),
            tag("td", _as_of(one, now)),
            tag("td", one.live),
            tag("td", "" if one.due is None else one.due),
        )
        for one in collections
    ]
    head = titles("Collection", "Up to date as of", "Records", "Details due")
    said = tag("caption", caption) if caption else None
    return tag("table", said, head, tag("tbody", *rows))


def _as_of(one: CollectionStatus, now: float) -> str:
    if one.as_of is not None:
        return _ago(now, one.as_of) if one.mirrored else f"{_ago(now, one.as_of)}; mirrored no more"
    for scan in one.scans:
        total = f" of {scan.total:,}" if scan.total else ""
        return f"first listing: {scan.rows:,}{total}"
    return "not yet listed"


def jobs(snapshot: Snapshot) -> Html:
    """Returns what each job does, and when its next lap begins."""
    rows = [
        tag(
            "tr",
            tag("th", words(job.name), scope="row"),
            tag("td", _present(job, snapshot.now)),
            tag("td", "–" if job.good_at is None else _ago(snapshot.now, job.good_at)),
            tag("td", _next(job, snapshot.now)),
        )
        for job in snapshot.pulse.jobs
    ]
    head = titles("Job", "Now", "Last good lap", "Next lap")
    return sheet("Jobs", tag("table", head, tag("tbody", *rows), class_="named"))


def _present(job: JobStatus, now: float) -> str:
    if job.stuck:
        return "stuck"
    if job.running_since is not None:
        return f"{'waiting for quota' if job.quiet_until > now else 'running'} for {span(now - job.running_since)}"
    if job.trouble is not None:
        return "cannot work"
    return "idle"


def _next(job: JobStatus, now: float) -> str:
    if job.running_since is not None or job.next_at is None:
        return "–"
    return "now" if job.next_at <= now else f"in {span(job.next_at - now)}"


def failures(snapshot: Snapshot) -> Iterator[Html]:
    """Yields nothing if there are no failures."""
    if found := list(islice(_failures(snapshot), _FAILURES_LISTED)):
        yield sheet("Last failures", tag("ul", *found, class_="plain"))


def _failures(snapshot: Snapshot) -> Iterator[Html]:
    """Yields the failures of the last laps, then the quarantined things, newest first."""
    for job in snapshot.pulse.jobs:
        for line in job.lap.failed if job.lap else ():
            yield _failure(words(job.name), line)
    for one in snapshot.stored.quarantined if snapshot.stored else ():
        yield _failure(f"{words(one.collection)}, {moment(one.since)}", one.reason)


def _failure(where: str, text: str) -> Html:
    said = text if len(text) <= _FAILURE_LETTERS else f"{text[: _FAILURE_LETTERS - 1]}…"
    return tag("li", tag("span", where, class_="soft"), tag("br"), said)


def titles(*names: str) -> Html:
    """Returns the header row of a table."""
    return tag("thead", tag("tr", *(tag("th", title, scope="col") for title in names)))


def sheet(title: str, *content: Html) -> Html:
    """Returns a panel with a title."""
    name = title.lower().replace(" ", "-")
    return tag("section", tag("h2", title, id=name), *content, class_="sheet", aria_labelledby=name)


def _ago(now: float, then: float) -> str:
    return "just now" if now - then < 10 else f"{span(now - then)} ago"


def words(name: str) -> str:
    """Returns an identifier as words for people."""
    return name.replace("_", " ")


def capital(text: str) -> str:
    """Returns the text with a capital first letter."""
    return text[:1].upper() + text[1:]
