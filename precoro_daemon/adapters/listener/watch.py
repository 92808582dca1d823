"""one socket for monitoring: health, readiness, metrics, and a page for people"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio
from aiohttp import web
from prometheus_client import Metric

from precoro_daemon.adapters.listener.metrics import families, rendered
from precoro_daemon.adapters.listener.page import POLICY, RELOADING, page
from precoro_daemon.adapters.listener.serving import serving
from precoro_daemon.status.health import ailments, obstacles
from precoro_daemon.status.snapshot import Watcher
from precoro_daemon.values.addresses import Address

_WATCH_CONNECTIONS = 64
"""Concurrent connections. A handful of people and machines watch; each connection takes a few kilobytes."""

_CONNECTION_LIFE_S = 10.0
"""Real seconds from the start of a connection to its end."""

FRESH_WITHIN_S = 2.0
"""Real seconds that an answer waits for a fresh reading of the state; a probe does not wait."""

_RESPONSE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Admits requests by the host they name: IP addresses, localhost, and these names.

    A foreign web page may let its own name resolve to this machine, and read what a browser here receives from it.
    """

    hosts: Collection[str] = ()

    def admits(self, host: str) -> bool:
        """Returns whether the Host header is admitted; "" stands for none, which no browser omits."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return not host or name == "localhost" or _is_address(name) or bool({name, host.lower()} & set(self.hosts))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@asynccontextmanager
async def watch(
    watcher: Watcher, address: Address, gatekeeper: Gatekeeper, *, life: float = _CONNECTION_LIFE_S
) -> AsyncIterator[Address]:
    """Serves until the context ends, and yields the actual address. No connection lasts longer than `life` real
    seconds.

    Raises ListenerUnusable.
    """
    async with answering(CompanyPages(watcher).find, address, gatekeeper, life=life) as real:
        yield real


Answer = Callable[[web.Request], Awaitable[web.Response]]
Find = Callable[[str], "Answer | Collection[str]"]
"""Returns the handler for a path, or the existing paths if there is none."""


@asynccontextmanager
async def answering(
    find: Find, address: Address, gatekeeper: Gatekeeper, *, life: float = _CONNECTION_LIFE_S
) -> AsyncIterator[Address]:
    """Does the same for any pages."""
    app = web.Application()
    handler = _WatchHandler(find, None if address.path else gatekeeper)
    app.router.add_route("*", "/{path:.*}", handler.receive)
    async with serving(app, address, most=_WATCH_CONNECTIONS, patience=life, evicts=True) as real:
        yield real


class _WatchHandler:
    """gatekeeper  None where no browser can connect"""

    def __init__(self, find: Find, gatekeeper: Gatekeeper | None) -> None:
        self._find = find
        self._gatekeeper = gatekeeper

    async def receive(self, request: web.Request) -> web.Response:
        response = await self._answer(request)
        response.headers.update(_RESPONSE_HEADERS)
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        if self._gatekeeper and not self._gatekeeper.admits(request.headers.get("Host", "")):
            return _plain(421, "This name is not known here. If it is yours, add it to hosts in [watch].")
        if request.method not in {"GET", "HEAD"}:
            return _plain(405, "Only GET and HEAD.", Allow="GET, HEAD")
        found = self._find(request.path)
        return await found(request) if callable(found) else _plain(404, f"There are {', '.join(found)}.")


class CompanyPages:
    """company  its name, if the process serves several"""

    def __init__(self, watcher: Watcher, company: str = "") -> None:
        self._watcher = watcher
        self._company = company
        self._answers: Mapping[str, Answer] = {
            "/": self._page,
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._metrics,
        }

    def find(self, path: str) -> Answer | Collection[str]:
        return self._answers.get(path, self._answers.keys())

    async def _health(self, _: web.Request) -> web.Response:
        return verdict("healthy", ailments(self._watcher.glance()))

    async def _readiness(self, _: web.Request) -> web.Response:
        """Answers with the state as last read, because a probe may time out after a second, and reads it for the next
        one.
        """
        return verdict("ready", obstacles(await self._watcher.snapshot(0.2)))

    async def _metrics(self, request: web.Request) -> web.Response:
        snapshot = await self._watcher.snapshot(FRESH_WITHIN_S)
        return await as_metrics(families(snapshot, self._company), request)

    async def _page(self, request: web.Request) -> web.Response:
        snapshot = await self._watcher.snapshot(FRESH_WITHIN_S)
        return as_html(page(snapshot, self._company, reloads=RELOADING in request.query))


async def as_metrics(found: Sequence[Metric], request: web.Request) -> web.Response:
    body, kind = await anyio.to_thread.run_sync(rendered, found, request.headers.get("Accept", ""))
    return web.Response(body=body, headers={"Content-Type": kind})


def as_html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", charset="utf-8")


def verdict(word: str, reasons: Iterable[str], **more: object) -> web.Response:
    said = list(reasons)
    text = json.dumps({word: not said, "reasons": said, **more}, indent=2)
    return web.Response(text=f"{text}\n", status=503 if said else 200, content_type="application/json")


def _plain(status: int, text: str, **headers: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n", headers=headers)
