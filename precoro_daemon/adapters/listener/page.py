"""the page for people: what is fresh, what waits, what needs them"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from itertools import islice

from precoro_daemon import __version__
from precoro_daemon.adapters.listener.html import Html, join, tag
from precoro_daemon.adapters.listener.quota_chart import quota
from precoro_daemon.runtime.ports import JobPulse
from precoro_daemon.status.attention import DIRECTIONS, QUARANTINED, Matter, heals, how_to_type, matters
from precoro_daemon.status.health import obstacles
from precoro_daemon.status.reading import FileState
from precoro_daemon.status.snapshot import CollectionStatus, PaymentStatus, Snapshot, Stored
from precoro_daemon.values.humanize import amount, moment, span

_STYLE = files(__package__ or "").joinpath("page.css").read_text("utf-8")

POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
)
"""Nothing is loaded, run, framed or sent; only this style applies."""

_RELOAD_S = "30"
"""Seconds until a browser loads the page again."""

_FAILURES_LISTED = 10
_PLANS_LISTED = 10

_FAILURE_LETTERS = 300
"""Characters of one failure."""


def page(snapshot: Snapshot) -> str:
    found = matters(snapshot)
    title, mood = _state(snapshot, found)
    return "<!DOCTYPE html>\n" + tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("meta", name="robots", content="noindex"),
            tag("meta", http_equiv="refresh", content=_RELOAD_S),
            tag("title", f"{title} · precoro-daemon"),
            tag("style", Html(_STYLE)),
        ),
        tag("body", _header(snapshot, title, mood), tag("main", *_sections(snapshot, found)), _footer(snapshot)),
        lang="en",
    )


def _state(snapshot: Snapshot, found: Sequence[Matter]) -> tuple[str, str]:
    """For people, and as a class of the style."""
    if snapshot.pulse.stopping:
        return "Stopping", "soon"
    if any(matter.weight == "urgent" for matter in found):
        return "Needs you", "urgent"
    if any(obstacles(snapshot)):
        return "Not ready yet", "soon"
    if found:
        return "Works; something waits for you", "soon"
    return "All is well", "well"


_SIGNS = {"well": "✓", "soon": "●", "urgent": "▲"}


def _header(snapshot: Snapshot, title: str, mood: str) -> Html:
    sign = tag("span", _SIGNS[mood], class_=mood, aria_hidden="true")
    return tag(
        "header",
        tag("h1", "precoro-daemon"),
        tag("p", sign, " ", title, class_="state", role="status"),
        tag("p", _now(snapshot), class_="soft"),
    )


def _now(snapshot: Snapshot) -> str:
    working = [_words(job.name) for job in snapshot.pulse.jobs if job.running_since is not None]
    held = any(job.trouble is not None for job in snapshot.pulse.jobs)
    idle = "Nothing can be done at this moment" if held else "Nothing to do at this moment"
    said = f"Working on: {', '.join(working)}" if working else idle
    return f"{said}. Up for {span(snapshot.live.up)}."


def _sections(snapshot: Snapshot, found: Sequence[Matter]) -> Iterator[Html]:
    if found:
        yield _sheet("Needs a person", *map(_matter, found), tag("p", how_to_type(found), class_="soft"))
    blocked = [] if found else list(obstacles(snapshot))
    if blocked:
        yield _sheet("Not ready yet", *(tag("p", f"{_capital(reason)}.") for reason in blocked))
    stored = snapshot.stored
    yield tag("div", quota(snapshot), tag("div", _waiting(snapshot), _jobs(snapshot)), class_="pair")
    if stored is not None:
        yield _fresh(stored, snapshot.now)
    if failures := list(islice(_failures(snapshot), _FAILURES_LISTED)):
        yield _sheet("Last failures", tag("ul", *failures, class_="plain"))


def _sheet(title: str, *content: Html) -> Html:
    name = title.lower().replace(" ", "-")
    return tag("section", tag("h2", title, id=name), *content, class_="sheet", aria_labelledby=name)


def _matter(matter: Matter) -> Html:
    urgent = matter.weight == "urgent"
    sign = tag("span", "Urgent: ", class_="urgent") if urgent else None
    return tag(
        "div",
        tag("h3", sign, matter.title),
        tag("p", matter.text),
        *(tag("pre", command) for command in matter.commands),
        class_="matter severe" if urgent else "matter",
    )


def _waiting(snapshot: Snapshot) -> Html:
    lines = list(_what_waits(snapshot))
    content = tag("ul", *lines, class_="plain") if lines else tag("p", "Nothing waits.")
    return _sheet("What waits", content)


def _what_waits(snapshot: Snapshot) -> Iterator[Html]:
    stored = snapshot.stored
    if stored is None:
        yield tag("li", "The state has not been read yet.")
        return
    yield from _documents(snapshot)
    yield from _files(stored.files)
    yield from _quarantined(snapshot, stored)
    yield from _deliveries(snapshot, stored)
    if stored.payments is not None:
        yield from _payments(stored.payments, snapshot.now)
    for plan in stored.items[:_PLANS_LISTED]:
        if plan.open:
            left = snapshot.seconds_left(plan)
            rest = f"; the rest takes about {span(left)}" if left else ""
            yield tag("li", f"Item changes of {plan.supplier}: {plan.open:,} of {sum(plan.counts.values()):,}{rest}.")
    if owed := [_words(one.name) for one in stored.mirrored if one.census == "owed"]:
        yield tag("li", f"A census of {', '.join(owed)}: the last listing was not proved complete.")


def _documents(snapshot: Snapshot) -> Iterator[Html]:
    if due := snapshot.details_due:
        left = snapshot.backfill_seconds
        done = f", all there in about {span(left)} if nothing else wants the calls" if left else ""
        yield tag("li", f"{due:,} documents lack their lines and details{done}.")


def _files(files: FileState) -> Iterator[Html]:
    if files.due.files:
        yield tag("li", f"{files.due.files:,} attached files ({amount(files.due.bytes)}).")
    if files.too_large:
        yield tag("li", f"{len(files.too_large):,} files are left out, as they are larger than max_bytes.")


def _quarantined(snapshot: Snapshot, stored: Stored) -> Iterator[Html]:
    for stage, what in QUARANTINED.items():
        count = sum(count for (_, one), count in stored.quarantined_counts.items() if one == stage)
        if count and heals(stage, stored, snapshot.now):
            yield tag("li", f"{_capital(what)}, and are tried again: {count:,}.")


def _deliveries(snapshot: Snapshot, stored: Stored) -> Iterator[Html]:
    counts = stored.deliveries
    if counts.last_at is None:
        if snapshot.webhooks:
            yield tag("li", "No webhook came yet.")
        return
    waiting = f"{counts.waiting:,} webhooks wait" if counts.waiting else "No webhook waits"
    missed = f"; {counts.unheard:,} changes of the last day came without one" if counts.unheard else ""
    yield tag("li", f"{waiting}; the last came {_ago(snapshot.now, counts.last_at)}{missed}.")


_WAITING = {"planned": "to be sent", "sending": "being sent", "doubt": "in doubt", "review": "for a person to decide"}


def _payments(payments: PaymentStatus, now: float) -> Iterator[Html]:
    for direction, way in DIRECTIONS.items():
        known = [
            (state, *payments.intents[direction, state])
            for state in _WAITING
            if (direction, state) in payments.intents
        ]
        if known:
            said = ", ".join(f"{count:,} {_WAITING[state]} (since {span(now - at)})" for state, count, at in known)
            yield tag("li", f"Payments {way}: {said}.")
    if payments.unmatched:
        yield tag("li", f"Payments in your books that match no invoice that can be paid: {payments.unmatched:,}.")


def _fresh(stored: Stored, now: float) -> Html:
    rows = [
        tag(
            "tr",
            tag("th", _words(one.name), scope="row"),
            tag("td", _as_of(one, now)),
            tag("td", one.live),
            tag("td", "" if one.due is None else one.due),
        )
        for one in stored.collections
    ]
    head = _head("Collection", "Up to date as of", "Records", "Details due")
    caption = tag("caption", f"What Precoro has, as it was read {_ago(now, stored.read_at)}.")
    return _sheet("How fresh", tag("table", caption, head, tag("tbody", *rows)))


def _as_of(one: CollectionStatus, now: float) -> str:
    if one.as_of is not None:
        return _ago(now, one.as_of) if one.mirrored else f"{_ago(now, one.as_of)}; mirrored no more"
    for scan in one.scans:
        total = f" of {scan.total:,}" if scan.total else ""
        return f"first listing: {scan.rows:,}{total}"
    return "not yet listed"


def _jobs(snapshot: Snapshot) -> Html:
    rows = [
        tag(
            "tr",
            tag("th", _words(job.name), scope="row"),
            tag("td", _present(job, snapshot.now)),
            tag("td", "–" if job.good_at is None else _ago(snapshot.now, job.good_at)),
            tag("td", _next(job, snapshot.now)),
        )
        for job in snapshot.pulse.jobs
    ]
    head = _head("Job", "Now", "Last good lap", "Next lap")
    return _sheet("Jobs", tag("table", head, tag("tbody", *rows)))


def _present(job: JobPulse, now: float) -> str:
    if job.stuck:
        return "stuck"
    if job.running_since is not None:
        return f"{'waits for quota' if job.quiet_until > now else 'works'}, {span(now - job.running_since)}"
    if job.trouble is not None:
        return "cannot work"
    return "idle"


def _next(job: JobPulse, now: float) -> str:
    if job.running_since is not None or job.next_at is None:
        return "–"
    return "now" if job.next_at <= now else f"in {span(job.next_at - now)}"


def _failures(snapshot: Snapshot) -> Iterator[Html]:
    """Those of the last laps, then what is quarantined, newest first."""
    for job in snapshot.pulse.jobs:
        for line in job.lap.failed if job.lap else ():
            yield _failure(_words(job.name), line)
    for one in snapshot.stored.quarantined if snapshot.stored else ():
        yield _failure(f"{_words(one.collection)}, {moment(one.since)}", one.reason)


def _failure(where: str, text: str) -> Html:
    said = text if len(text) <= _FAILURE_LETTERS else f"{text[: _FAILURE_LETTERS - 1]}…"
    return tag("li", tag("span", where, class_="soft"), tag("br"), said)


def _head(*titles: str) -> Html:
    return tag("thead", tag("tr", *(tag("th", title, scope="col") for title in titles)))


def _footer(snapshot: Snapshot) -> Html:
    links = join(*(join(" · ", tag("a", name, href=name)) for name in ("healthz", "readyz", "metrics")))
    words = f"precoro-daemon {__version__} · {moment(snapshot.now)} · loads again every {_RELOAD_S} s"
    return tag("footer", tag("p", words, links, class_="soft"))


def _ago(now: float, then: float) -> str:
    return "just now" if now - then < 10 else f"{span(now - then)} ago"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
