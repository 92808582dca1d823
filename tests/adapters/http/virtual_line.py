"""A Precoro at the end of a line, in virtual time: each request takes its way, is judged, and is answered."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.exchange import Answer, OnSent, Request
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.quota.limits import Limits
from precoro_daemon.quota.ports import CallProgress
from precoro_daemon.runtime.ports import Brake
from tests.adapters.http.stand_ins import MemoryBook, RestoreGuard, credentials
from tests.runtime.hours import LoopClock

LISTED = 10
"""Pages of a list."""


def no_time() -> float:
    return 0.0


@dataclass(frozen=True)
class Judged:
    """A call as it arrived; `verdict` is "" or the limiter that refused it."""

    at: float
    target: str
    verdict: str


@dataclass
class VirtualLine:
    """A Transport with one call a second and one same GET a minute at its end.

    way, answer     seconds that the next call takes there, and until it is answered
    counts_refused  a refused GET counts as asked
    refusing        what it says to a call before it judges it, by limiter; "" lets it be judged
    """

    now: Callable[[], float]
    way: Callable[[], float] = no_time
    answer: Callable[[], float] = no_time
    counts_refused: bool = False
    refusing: Callable[[Request], str] = lambda _: ""
    arrived: list[Judged] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    asked: dict[str, float] = field(default_factory=dict)

    async def send(self, request: Request, on_sent: OnSent) -> Answer:
        await on_sent()
        await anyio.sleep(self.way())
        verdict = self._judge(request)
        self.arrived.append(Judged(self.now(), request.target, verdict))
        if verdict:
            await anyio.sleep(0.002)
            return Answer(429, {}, json.dumps(self._complaint(request, verdict)).encode(), None)
        await anyio.sleep(self.answer())
        return Answer(200, {"Content-Type": "application/json"}, _page(request), None)

    def _complaint(self, request: Request, verdict: str) -> Mapping[str, object]:
        left = self.asked.get(request.target, -math.inf) + 60 - self.now()
        wait = left if "Route" in verdict and left > 0 else 1
        return {"RateLimit-Type": verdict, "RateLimit-Retry-After": math.ceil(wait)}

    def _judge(self, request: Request) -> str:
        now, get = self.now(), request.method == "GET"
        last = self.accepted[-1] if self.accepted else now - 9
        close = now - last < 1 - 1e-6
        again = get and now - self.asked.get(request.target, -math.inf) < 60
        verdict = self.refusing(request) or (
            "Second limiter" if close else "Route based limiter by minute" if again else ""
        )
        if not verdict or (self.counts_refused and get):
            self.asked[request.target] = now
        if not verdict:
            self.accepted.append(now)
        return verdict

    @property
    def refused(self) -> list[int]:
        return [number for number, call in enumerate(self.arrived) if call.verdict]

    def of(self, target: str) -> list[Judged]:
        return [call for call in self.arrived if call.target == target]


def _page(request: Request) -> bytes:
    """A page of a list of ten, with one row."""
    number = int(dict(request.query).get("page", "1"))
    pages = {"total": LISTED, "count": 1, "per_page": 1, "current_page": number, "total_pages": LISTED}
    return json.dumps({"data": [{"id": number}], "meta": {"pagination": pages}}).encode()


@asynccontextmanager
async def at_the_end_of(
    line: VirtualLine,
    clock: LoopClock,
    granted: Limits,
    *,
    book: MemoryBook | None = None,
    progress: CallProgress | None = None,
    brake: Brake | None = None,
) -> AsyncIterator[tuple[Throttled, Retrying]]:
    """`book`: what earlier processes left."""
    around = GateDependencies(book or MemoryBook(), clock, progress or RestoreGuard(), brake=brake)
    async with Throttled(line, credentials("http://virtual"), granted, around) as throttled:  # type: ignore[arg-type]
        yield throttled, Retrying(throttled, jitter=lambda: 1.0)
