"""the overview of many companies, each company's page, their metrics, and the health of the process"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from time import time

import anyio.lowlevel
from aiohttp import web

from precoro_daemon.adapters.listener.html import Html, tag
from precoro_daemon.adapters.listener.metrics import Families, company_samples
from precoro_daemon.adapters.listener.page import RELOADING, document, footer_line, header
from precoro_daemon.adapters.listener.watch import (
    FRESH_WITHIN_S,
    Answer,
    CompanyPages,
    Gatekeeper,
    answering,
    as_html,
    as_metrics,
    verdict,
)
from precoro_daemon.status.companies import CompanyGlance, FleetWatcher
from precoro_daemon.values.addresses import Address

_BELOW = "/companies/"

_SERVED = ("running", "elsewhere")

_REASON_CHARS = 300
"""Characters of the reason why a company is not served."""


@asynccontextmanager
async def watch_companies(fleet: FleetWatcher, address: Address, gatekeeper: Gatekeeper) -> AsyncIterator[Address]:
    """Serves until the context ends, and yields the actual address. Raises ListenerUnusable."""
    async with answering(_FleetPages(fleet).find, address, gatekeeper) as real:
        yield real


class _FleetPages:
    """Reports the health of the process: a company that fails or hangs is restarted alone, and its own page says
    so.
    """

    def __init__(self, fleet: FleetWatcher) -> None:
        self._fleet = fleet
        self._answers = {
            "/": self._page,
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._metrics,
        }

    def find(self, path: str) -> Answer | Collection[str]:
        if not path.startswith(_BELOW):
            return self._answers.get(path, [*self._answers, f"{_BELOW}NAME/"])
        name, slash, rest = path.removeprefix(_BELOW).partition("/")
        if (watcher := self._fleet.watcher(name)) is None:
            return [f"{_BELOW}{one.name}/" for one in self._fleet.glance() if self._fleet.watcher(one.name)] or ["/"]
        return CompanyPages(watcher, name).find(f"{slash}{rest}")

    async def _health(self, _: web.Request) -> web.Response:
        served = {one.name: one.worker or None for one in self._fleet.glance()}
        return verdict("healthy", (), **({"companies": served} if any(served.values()) else {}))

    async def _readiness(self, _: web.Request) -> web.Response:
        """Answers ready once every company was tried. A company that cannot be served does not keep webhooks from the
        others.
        """
        return verdict("ready", (f"{one.name} starts" for one in self._fleet.glance() if one.standing == "starting"))

    async def _metrics(self, request: web.Request) -> web.Response:
        glances = await self._fleet.renew(FRESH_WITHIN_S)
        found = Families(("company",))
        for one in glances:
            if one.standing == "elsewhere":
                continue  # its worker tells
            found.add(company_samples(one), (one.name,))
            await anyio.lowlevel.checkpoint()  # a hundred companies take a tenth of a second
        return await as_metrics(found.metrics, request)

    async def _page(self, request: web.Request) -> web.Response:
        glances = await self._fleet.renew(FRESH_WITHIN_S)
        return as_html(companies_page(glances, reloads=RELOADING in request.query))


def companies_page(glances: Sequence[CompanyGlance], *, reloads: bool = False) -> str:
    """Returns the page of all companies; those that need a person come first."""
    title, mood = _state(glances)
    served = sum(one.standing in _SERVED for one in glances)
    fleet = any(one.worker for one in glances)
    now = f"{served} of {_companies(len(glances))} served."
    ordered = sorted(glances, key=lambda one: (not one.urgent, not one.needs, one.name))
    names = ("Company", *(["Worker"] if fleet else []), "State", "Needs a person", "Calls left today", "Lists as of")
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    table = tag("table", head, tag("tbody", *(_row(one, fleet=fleet) for one in ordered)), class_="named")
    links = [tag("a", name, href=name) for name in ("healthz", "readyz", "metrics")]
    return document(
        f"{title} · companies",
        header("precoro-daemon", title, mood, now),
        tag("main", tag("section", table, class_="sheet")),
        tag("footer", footer_line(time(), *links, reloads=reloads)),
        reloads=reloads,
    )


def _state(glances: Sequence[CompanyGlance]) -> tuple[str, str]:
    """Returns the state in words and as a CSS class."""
    if urgent := [one.name for one in glances if one.urgent]:
        return f"{_companies(len(urgent))} need{'s' if len(urgent) == 1 else ''} you", "urgent"
    if any(one.standing not in _SERVED for one in glances):
        return "Not all are served yet", "soon"
    if any(one.needs for one in glances):
        return "All work; something waits for you", "soon"
    return "All is well", "well"


def _companies(count: int) -> str:
    return "1 company" if count == 1 else f"{count:,} companies"


def _row(one: CompanyGlance, *, fleet: bool) -> Html:
    name = one.name if one.snapshot is None else tag("a", one.name, href=f"companies/{one.name}/")
    worker = [tag("td", one.worker or "nobody")] if fleet else []
    return tag("tr", tag("th", name, scope="row"), *worker, *_cells(one))


def _cells(one: CompanyGlance) -> Iterator[Html]:
    yield tag("td", one.standing)
    yield tag("td", one.needs[:_REASON_CHARS] or "–", class_="urgent" if one.urgent else None)
    yield tag("td", "–" if one.left_today is None else one.left_today)
    yield tag("td", one.as_of or "–")
