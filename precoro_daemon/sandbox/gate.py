"""the checks of every call, in order: journal, key, limits, faults, latency"""

import re
import socket
import struct
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import anyio
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from precoro_daemon.sandbox.clock import SimulatedClock, http_date
from precoro_daemon.sandbox.fault_kinds import KINDS, Strike
from precoro_daemon.sandbox.faults import Fault, Faults
from precoro_daemon.sandbox.journal import Entry, Journal
from precoro_daemon.sandbox.limits import TYPES, Limits
from precoro_daemon.sandbox.options import SandboxOptions, Tuning
from precoro_daemon.sandbox.reads import DOWNLOADS
from precoro_daemon.sandbox.refusals import MissingError, RefusedError
from precoro_daemon.sandbox.replies import html, json, refused

# Observed: the live API refuses these before it checks the key.
LIBRARY_AGENTS = re.compile(r"^$|^(python-requests|Python-urllib|Python/|aiohttp|python-httpx|Go-http-client)")
SELF = ("/_sandbox", "/favicon.ico")


_TICK = 0.004
"""The precision of the kernel's time of arrival, in real seconds."""


def arrival(request: web.Request, now: float) -> tuple[float, float]:
    """Returns the earliest and the latest moment at which the request can have arrived. `now` is when this process
    saw it.

    All three are readings of `time.monotonic`. On Linux the kernel knows the time of arrival. This process may read a
    request late, and then the next one would seem early.
    """
    if request.transport is None or not hasattr(socket, "TCP_INFO"):
        return now, now
    connection = request.transport.get_extra_info("socket")
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return now, now
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    came = now - float(_INFO.unpack(info)[-1]) / 1000
    return (now, now) if came == now else (came - _TICK, min(now, came + _TICK))


_INFO = struct.Struct("=8B12I")
"""The fields up to `tcpi_last_data_recv`, in milliseconds (linux/tcp.h)."""


@dataclass(frozen=True)
class Gate:
    """Judges calls in the order in which they arrive, and writes one journal entry for each."""

    options: SandboxOptions
    tuning: Tuning
    clock: SimulatedClock
    journal: Journal
    limits: Limits
    faults: Faults
    later: Callable[[Callable[[], Coroutine[Any, Any, None]]], None]

    def middleware(self) -> Middleware:
        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            real = time.monotonic()
            if request.path == "/" or request.path.startswith(SELF):
                return await _spoken(request, handler)
            agent = request.headers.get("User-Agent", "")
            arrived = self.clock.at(real)
            entry = Entry(self.journal.total + 1, arrived, real, request.method, request.path_qs, agent)
            self.journal.open(entry)
            answer: web.StreamResponse | None = None
            try:
                answer = await self._admit(request, handler, entry)
            finally:
                status = 0 if answer is None or entry.fault in _CUTTING else answer.status
                self.journal.close(entry, status, time.monotonic() - real)
            return answer

        return gate

    async def _admit(self, request: web.Request, handler: Handler, entry: Entry) -> web.StreamResponse:
        """Returns the answer to a call.

        Verdict and fault are decided before anything is awaited. The data is read after half of the latency.
        """
        refusal = self._turn_away(request, entry)
        fault = None if refusal else self.faults.match(request.method, request.path_qs)
        await self._wait()
        if refusal is not None:
            answer: web.StreamResponse = refusal
        elif fault is not None:
            answer = await self._strike(request, handler, entry, fault)
        else:
            answer = await _spoken(request, handler)
        await self._wait()
        if not answer.prepared:
            answer.headers["Date"] = http_date(self.clock.now())
        return answer

    async def _wait(self) -> None:
        if self.tuning.latency:
            await anyio.sleep(self.tuning.latency / 2)

    def _turn_away(self, request: web.Request, entry: Entry) -> web.Response | None:
        if LIBRARY_AGENTS.search(entry.who):
            return html(403, "403 Forbidden")
        if request.path.startswith(DOWNLOADS):
            return None
        key = request.headers.get("X-AUTH-TOKEN"), request.headers.get("email")
        if key != (self.options.token, self.options.email):
            return json({"code": 401, "message": "Invalid credentials."}, 401)
        if not self.tuning.limits:
            return None
        first, latest = map(self.clock.at, arrival(request, entry.real))
        refusal = self.limits.judge(entry.method, request.path, entry.path_qs, first, latest)
        if refusal is None:
            return None
        entry.refused = TYPES[refusal.kind]
        return refused(refusal, self.tuning.retry_after, self.clock.now())

    async def _strike(self, request: web.Request, handler: Handler, entry: Entry, fault: Fault) -> web.StreamResponse:
        entry.fault = fault.kind

        async def answer() -> web.Response:
            spoken = await _spoken(request, handler)
            return spoken if isinstance(spoken, web.Response) else web.Response(status=spoken.status)

        strike = Strike(request, fault, answer, self.clock, self.tuning, self.later)
        return await KINDS[fault.kind](strike)


_CUTTING = frozenset({"reset", "closed", "hang", "commit_then_cut", "late_commit", "reset_midway"})


async def _spoken(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Returns the handler's answer. Its refusals become answers too."""
    try:
        return await handler(request)
    except (RefusedError, MissingError) as refusal:
        return json(refusal.body(), refusal.status)
    except web.HTTPException as error:
        return json({"code": error.status, "message": error.reason}, error.status)
