"""the page for people: what is fresh, what is pending, what needs a person"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from precoro_daemon import __version__
from precoro_daemon.adapters.listener.freshness_chart import delays
from precoro_daemon.adapters.listener.history_chart import history
from precoro_daemon.adapters.listener.html import Html, join, tag
from precoro_daemon.adapters.listener.panels import capital, failures, fresh, jobs, sheet, waiting, words
from precoro_daemon.adapters.listener.payments_panel import payments_by_state
from precoro_daemon.adapters.listener.quota_chart import quota
from precoro_daemon.adapters.listener.shapes_panel import shape_changes
from precoro_daemon.status.attention import Matter, how_to_type, matters
from precoro_daemon.status.health import obstacles
from precoro_daemon.status.snapshot import Snapshot
from precoro_daemon.values.humanize import moment, span

_STYLE = Path(__file__).with_name("page.css").read_text("utf-8")

POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
)
"""Nothing is loaded, run, framed or sent; only this style applies."""

_RELOAD_S = "30"
"""Seconds until a browser reloads the page."""

RELOADING = "reload"
"""The query of a page that reloads itself. It is optional, because reloading disturbs reading and folds what was
unfolded.
"""


def page(snapshot: Snapshot, company: str = "", *, reloads: bool = False) -> str:
    """Returns the page.

    company  its name, if the process serves several
    reloads  whether the page reloads itself
    """
    found = matters(snapshot)
    title, mood = _state(snapshot, found)
    name = company or snapshot.company
    head = header(name or "precoro-daemon", title, mood, _now(snapshot))
    footer = tag("footer", _footer(snapshot, company, reloads=reloads))
    return document(
        f"{name} · {title}" if name else title,
        head,
        tag("main", *_sections(snapshot, found)),
        footer,
        reloads=reloads,
    )


def document(title: str, *body: Html, reloads: bool) -> str:
    """Returns a whole HTML document."""
    return "<!DOCTYPE html>\n" + tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("meta", name="robots", content="noindex"),
            tag("meta", http_equiv="refresh", content=_RELOAD_S) if reloads else None,
            tag("title", f"{title} · precoro-daemon"),
            tag("style", Html(_STYLE)),
        ),
        tag("body", *body),
        lang="en",
    )


def _state(snapshot: Snapshot, found: Sequence[Matter]) -> tuple[str, str]:
    """Returns the state in words and as a CSS class."""
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


def header(name: str, title: str, mood: str, now: str) -> Html:
    """Returns the head of the page: the company, its state, and what it is doing."""
    sign = tag("span", _SIGNS[mood], class_=mood, aria_hidden="true")
    state = tag("p", sign, " ", title, class_="state", role="status")
    return tag("header", tag("h1", name), state, tag("p", now, class_="soft"))


def _now(snapshot: Snapshot) -> str:
    working = [words(job.name) for job in snapshot.pulse.jobs if job.running_since is not None]
    held = any(job.trouble is not None for job in snapshot.pulse.jobs)
    idle = "Nothing can be done at this moment" if held else "Nothing to do at this moment"
    said = f"Working on: {', '.join(working)}" if working else idle
    return f"{said}. Up for {span(snapshot.live.up)}."


def _sections(snapshot: Snapshot, found: Sequence[Matter]) -> Iterator[Html]:
    if found:
        yield sheet("Needs a person", *map(_matter, found), tag("p", how_to_type(found), class_="soft"))
    blocked = [] if found else list(obstacles(snapshot))
    if blocked:
        yield sheet("Not ready yet", *(tag("p", f"{capital(reason)}.") for reason in blocked))
    stored = snapshot.stored
    yield tag("div", quota(snapshot), tag("div", waiting(snapshot), jobs(snapshot)), class_="pair")
    yield from payments_by_state(snapshot)
    if stored is not None:
        yield from delays(snapshot, stored)
        yield from history(stored)
        yield fresh(stored, snapshot.now)
    yield from failures(snapshot)
    if stored is not None:
        yield from shape_changes(stored)


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


def _footer(snapshot: Snapshot, company: str, *, reloads: bool) -> Html:
    all_of_them = tag("a", "all companies", href="../../")
    links = (*([all_of_them] if company else []), *map(_linked, ("healthz", "readyz", "metrics")))
    return footer_line(snapshot.now, *links, reloads=reloads)


def _linked(name: str) -> Html:
    return tag("a", name, href=name)


def footer_line(now: float, *links: Html, reloads: bool) -> Html:
    stop, go = tag("a", "stop reloading", href="."), tag("a", f"reload every {_RELOAD_S} s", href=f"?{RELOADING}")
    text = f"precoro-daemon {__version__} · {moment(now)}"
    return tag("p", text, *(join(" · ", link) for link in (stop if reloads else go, *links)), class_="soft")
