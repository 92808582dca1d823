"""The throttle against servers that judge every call: never over a limit, nobody held back for nothing."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial

import anyio
import anyio.lowlevel
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.exchange import Answer, OnSent, Request, Transport
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.adapters.http.session import HttpSession
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.errors import (
    AuthenticationError,
    BudgetSpent,
    ConnectionFault,
    DaemonError,
    Deposed,
    Forbidden,
    KeyInDoubt,
    LockedOut,
    RateLimited,
    ServerFault,
)
from precoro_daemon.quota.limits import Lane, Limits
from tests.adapters.http.stand_ins import (
    DelayingProxy,
    MemoryBook,
    RestoreGuard,
    StrictServer,
    credentials,
    serving,
    talking,
)

LIFTED = Limits(per_second=0, per_minute=0, per_hour=0, per_day=0, same_get_per_minute=0, same_get_per_hour=0)


def limits(**changes: object) -> Limits:
    return Limits(
        **({name: 0 for name in type(LIFTED).__match_args__ if name.startswith(("per_", "same_get_per"))} | changes)
    )


@dataclass
class Bench:
    """What one client lives in; a second client on the same bench is a restart."""

    origin: str
    scale: float = 1.0
    book: MemoryBook = field(default_factory=MemoryBook)
    restore_guard: RestoreGuard = field(default_factory=RestoreGuard)
    clock: RealClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = RealClock(self.scale)

    @asynccontextmanager
    async def client(self, limits: Limits, token: str = "t0ken-0f-ours") -> AsyncIterator[Throttled]:
        ours = credentials(self.origin, token)
        around = GateDependencies(self.book, self.clock, self.restore_guard)
        async with HttpSession(ours, Timeouts()) as session, Throttled(session, ours, limits, around) as throttled:
            yield throttled


def get(n: int | str, lane: Lane = Lane.LISTS) -> Request:
    return Request("GET", "/invoices", (("page", str(n)),), lane=lane)


async def get_all(client: Throttled, count: int, start: int = 0) -> None:
    async with anyio.create_task_group() as tasks:
        for n in range(start, start + count):
            tasks.start_soon(client.send, get(n))


def refusing(kind: str, **more: object) -> Callable[[], web.Response]:
    return lambda: web.json_response(
        {"error": "Too many requests for this endpoint", "RateLimit-Type": kind} | more, status=429
    )


def in_turn(*answers: Callable[[], web.Response]):
    """A handler that gives these answers in turn and then good ones; it remembers what it was asked."""
    rest = iter(answers)

    async def handler(request: web.BaseRequest) -> web.Response:
        handler.asked.append(request.path_qs)
        return next(rest, lambda: web.json_response({}))()

    handler.asked = []
    return handler


# Windows


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("granted", "windows", "calls", "scale"),
    [
        (limits(per_second=1, guard=1.0), [(1, 1)], 30, 10.0),
        (limits(per_second=5, per_minute=30, guard=1.0, margin=2.0), [(1, 5), (60, 30)], 40, 20.0),
        (limits(per_minute=20, per_hour=35, margin=2.0), [(60, 20), (3600, 35)], 35, 20.0),
    ],
)
async def test_no_call_is_refused_however_slow_the_server(
    granted: Limits, windows: list[tuple[float, int]], calls: int, scale: float
):
    server = StrictServer(windows, scale=scale, latency=3.0)
    async with serving(server) as origin:
        bench = Bench(origin, scale=scale)
        async with bench.client(granted) as client:
            began = bench.clock.now()
            await get_all(client, calls)
            took = bench.clock.now() - began
    print(f"{calls} calls in {took:.1f} s")
    assert server.refusals == []
    assert sorted(server.targets) == sorted(get(n).target for n in range(calls))


@pytest.mark.asyncio
async def test_calls_arrive_a_second_apart_though_the_way_takes_longer_for_one_than_for_the_next():
    scale = 4.0
    server = StrictServer([(1, 1)], scale=scale)
    async with serving(server) as behind:
        proxy = DelayingProxy(behind, partial(random.Random(1).uniform, 0.02 / scale, 0.15 / scale))
        async with talking(proxy) as origin, Bench(origin, scale=scale).client(limits(per_second=1)) as client:
            refused = 0
            for n in range(40):
                refused += await _outcome(client, get(n)) is RateLimited
    # Were they only to leave a second apart, a third would be. What a busy machine adds is learned as well.
    assert refused == len(server.refusals) <= 3
    assert len(server.targets) == 40
    assert proxy.connections == 1, "each call on the connection of the one before"


@pytest.mark.asyncio
async def test_a_restart_in_the_middle_keeps_every_window():
    server = StrictServer([(1, 5), (60, 12)], scale=20.0)
    async with serving(server) as origin:
        bench = Bench(origin, scale=20.0)
        for part in range(4):
            async with bench.client(limits(per_second=5, per_minute=12, guard=0.2)) as client:
                await get_all(client, 5, start=5 * part)
    assert server.refusals == []
    assert len(server.targets) == 20


@dataclass
class SlowToConnect:
    """A Transport on which every other request needs long until it is written, as on a new connection."""

    transport: Transport
    delay: float
    calls: int = 0

    async def send(self, request: Request, on_sent: OnSent) -> Answer:
        self.calls += 1
        if self.calls % 2:
            await anyio.sleep(self.delay)
        return await self.transport.send(request, on_sent)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("granted", "windows", "calls"),
    [
        (limits(per_second=1, guard=0.2), [(1, 1)], 10),
        (limits(per_minute=3), [(60, 3)], 6),
        (limits(same_get_per_minute=1), [(60, 1)], 2),
    ],
)
async def test_windows_count_from_when_a_request_is_really_written(
    granted: Limits, windows: list[tuple[float, int]], calls: int
):
    server = StrictServer(windows, scale=20.0)
    async with serving(server) as origin:
        bench = Bench(origin, scale=20.0)
        ours = credentials(origin)
        around = GateDependencies(bench.book, bench.clock, bench.restore_guard)
        async with (
            HttpSession(ours, Timeouts()) as session,
            Throttled(SlowToConnect(session, 0.1), ours, granted, around) as client,
        ):
            for n in range(calls):
                await client.send(get("same" if granted.same_get_per_minute else n))
    assert server.refusals == []
    assert len(server.targets) == calls


@pytest.mark.asyncio
async def test_the_same_get_waits_for_its_minute_while_others_go():
    server = StrictServer(same_get=[(60, 1)], scale=30.0)
    async with serving(server) as origin:
        bench = Bench(origin, scale=30.0)
        async with bench.client(limits(same_get_per_minute=1)) as client, anyio.create_task_group() as tasks:
            for n in (1, 1, 2, 3, 1):
                tasks.start_soon(client.send, get(n))
    assert server.refusals == []
    assert server.targets[:3] == [get(n).target for n in (1, 2, 3)]
    assert server.targets[3:] == [get(1).target] * 2
    assert (Lane.LISTS, "same GET per minute") in bench.restore_guard.waits


@pytest.mark.asyncio
async def test_every_charge_is_in_the_book_before_its_call_leaves():
    book = MemoryBook()
    charged: list[int] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        charged.append(len(book.calls))
        return web.json_response({})

    async with serving(handler) as origin, Bench(origin, 100.0, book).client(limits(per_second=5)) as client:
        await get_all(client, 20)
    assert len(charged) == 20
    assert all(calls > before for before, calls in enumerate(charged))


@pytest.mark.asyncio
async def test_with_all_limits_lifted_nothing_is_charged_and_calls_overlap():
    server = StrictServer(latency=0.02)
    async with serving(server) as origin:
        bench = Bench(origin)
        async with bench.client(LIFTED) as client:
            await get_all(client, 100)
            assert client.in_flight_bound == 16
    assert len(server.targets) == 100
    assert bench.book.calls == []


class LostTenure:
    """Implements `Tenure` of a company that another worker serves, once it is lost."""

    lost = False

    def refuse_if_lost(self) -> None:
        if self.lost:
            raise Deposed("served elsewhere")


@pytest.mark.asyncio
@pytest.mark.parametrize("granted", [LIFTED, limits(per_second=5)], ids=["limits lifted", "charged"])
async def test_no_call_leaves_for_a_company_that_is_served_elsewhere(granted: Limits):
    """Where limits are lifted nothing is charged, so no transaction of the state would refuse."""
    server, tenure = StrictServer(), LostTenure()
    async with serving(server) as origin:
        bench, ours = Bench(origin), credentials(origin, "t0ken")
        dependencies = GateDependencies(bench.book, bench.clock, bench.restore_guard, tenure)
        async with (
            HttpSession(ours, Timeouts()) as session,
            Throttled(session, ours, granted, dependencies) as client,
        ):
            await client.send(get(1))
            tenure.lost = True
            with pytest.raises(Deposed):
                await client.send(get(2))
            with pytest.raises(Deposed):
                await client.send_once(get(3), permitted)
            with pytest.raises(Deposed):
                client.refuse_if_stopped()
    assert server.targets == [get(1).target]


async def permitted() -> None:
    """Nothing is in the way."""


@pytest.mark.asyncio
async def test_calls_in_flight_follow_latency_and_rate():
    server = StrictServer(scale=20.0, latency=3.0)
    async with serving(server) as origin, Bench(origin, scale=20.0).client(limits(per_second=2)) as client:
        assert client.in_flight_bound == 1
        await client.send(get("first"))
        assert 6 <= client.in_flight_bound <= 10
        server.latency = 0.0
        await get_all(client, 30)
        assert client.in_flight_bound < 6


@pytest.mark.asyncio
async def test_an_urgent_lane_goes_first_however_late_it_comes():
    server = StrictServer(scale=20.0)
    async with serving(server) as origin, Bench(origin, scale=20.0).client(limits(per_second=1)) as client:
        await client.send(get("first"))
        async with anyio.create_task_group() as tasks:
            for lane in (Lane.CENSUS, Lane.FILES, Lane.LISTS, Lane.DETAILS, Lane.PAYMENTS):
                tasks.start_soon(client.send, get(lane.name, lane))
                await anyio.lowlevel.checkpoint()
    # The census was chosen before the others came.
    assert server.targets[1:] == [get(name).target for name in ("CENSUS", "PAYMENTS", "LISTS", "DETAILS", "FILES")]


# The day


@pytest.mark.asyncio
async def test_a_spent_day_is_told_to_each_lane_and_its_reserve_is_kept():
    server = StrictServer([(86400, 10)])
    granted = limits(per_day=10, reserve={Lane.DETAILS: 2, Lane.CENSUS: 5})
    async with serving(server) as origin:
        bench = Bench(origin)
        async with bench.client(granted) as client:
            outcomes = [await _outcome(client, get(f"{lane.name}{n}", lane)) for lane in _UPWARDS for n in range(6)]
            with pytest.raises(BudgetSpent) as spent:
                await client.send(get("more"))
        assert spent.value.resume_at == pytest.approx(bench.book.calls[0][0] + 86400, abs=1)
        async with bench.client(granted) as client:
            with pytest.raises(BudgetSpent):
                await client.send(get("after a restart"))
    assert outcomes == [200] * 5 + [BudgetSpent] * 1 + [200] * 3 + [BudgetSpent] * 3 + [200] * 2 + [BudgetSpent] * 4
    assert server.refusals == []


_UPWARDS = (Lane.CENSUS, Lane.DETAILS, Lane.LISTS)


async def _keep(outcomes: list[object], client: Throttled, request: Request) -> None:
    outcomes.append(await _outcome(client, request))


async def _outcome(client: Throttled, request: Request) -> object:
    try:
        return (await client.send(request)).status
    except DaemonError as error:
        return type(error)


@pytest.mark.asyncio
async def test_a_daily_refusal_sends_everybody_home_and_a_restart_remembers():
    handler = in_turn(lambda: web.json_response({}), refusing("Daily limiter", **{"RateLimit-Retry-After": 7200}))
    async with serving(handler) as origin:
        bench = Bench(origin)
        async with bench.client(limits(per_second=20)) as client:
            outcomes: list[object] = []

            async def one(n: int) -> None:
                outcomes.append(await _outcome(client, get(n)))

            await client.send(get("first"))
            async with anyio.create_task_group() as tasks:
                for n in range(12):
                    tasks.start_soon(one, n)
        asked = len(handler.asked)
        async with bench.client(LIFTED) as client:
            with pytest.raises(BudgetSpent) as spent:
                await client.send(get("after a restart"))
    assert outcomes.count(RateLimited) == 1
    assert outcomes.count(BudgetSpent) == len(outcomes) + 1 - asked
    assert len(handler.asked) == asked
    assert 7190 < spent.value.resume_at - bench.clock.now() <= 7201


# What a 429 teaches


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("kind", "retry_after", "window"),
    [
        ("Hourly limiter", 30, "hour"),
        ("Limiter by minute", 20, "minute"),
        ("Something new", 10, "second"),
        ("Route based limiter by minute", 25, "same GET"),
    ],
)
async def test_a_refusal_closes_its_window_until_the_servers_own_time(kind: str, retry_after: int, window: str):
    refused_at: list[float] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        refused_at.append(bench.clock.now())
        if len(refused_at) > 1:
            return web.json_response({})
        # The server's clock is wrong by years; only the difference of its own two times counts.
        told = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(1e9 + retry_after))
        return web.json_response(
            {"RateLimit-Type": kind, "RateLimit-Retry-After": told},
            status=429,
            headers={"Date": formatdate(1e9, usegmt=True)},
        )

    async with serving(handler) as origin:
        bench = Bench(origin, scale=100.0)
        async with bench.client(limits(per_second=10)) as client:
            with pytest.raises(RateLimited) as refused:
                await client.send(get(1))
            assert refused.value.wait == 0.0
            closed_at = bench.clock.now()
            await client.send(get(1))
            opened_at = bench.clock.now()
    assert opened_at - closed_at >= retry_after
    assert bench.restore_guard.waits == [(Lane.LISTS, window)]


@pytest.mark.asyncio
async def test_a_route_refusal_holds_that_get_only_and_a_contradiction_is_told():
    handler = in_turn(
        lambda: web.json_response({}), refusing("Route based limiter by minute", **{"RateLimit-Retry-After": 3000})
    )
    async with serving(handler) as origin, Bench(origin, scale=2.0).client(limits(same_get_per_minute=1)) as client:
        await client.send(get(1))
        with capture_logs() as logs, pytest.raises(RateLimited):
            await client.send(get(2))
        await client.send(get(3))
        with anyio.move_on_after(0.1) as waited:
            await client.send(get(2))
    assert waited.cancelled_caught
    assert [entry["event"] for entry in logs] == ["call_refused", "same_get_scope_contradicted"]
    assert handler.asked == [get(n).target for n in (1, 2, 3)]


@pytest.mark.asyncio
async def test_a_refusal_for_calls_that_came_too_close_widens_the_pace():
    handler = in_turn(lambda: web.json_response({}), refusing("", **{"Retry-After": 1}))
    async with serving(handler) as origin, Bench(origin, scale=50.0).client(limits(per_second=1)) as client:
        await client.send(get(1))
        before = client._gate._pace.interval
        with pytest.raises(RateLimited):
            await client.send(get(2))
        assert client._gate._pace.interval > before


# The key


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_key_costs_one_call_then_three_then_one_in_a_quarter_of_an_hour(status: int):
    handler = in_turn(*[lambda: web.json_response({}, status=status)] * 99)
    async with serving(handler) as origin:
        bench = Bench(origin, scale=300.0)
        for tries in (1, 2, 3, 3, 3):
            async with bench.client(LIFTED) as client:
                outcomes = []

                async def one(n: int, client: Throttled = client, outcomes: list[object] = outcomes) -> None:
                    outcomes.append(await _outcome(client, get(n)))

                async with anyio.create_task_group() as tasks:
                    for n in range(20):
                        tasks.start_soon(one, n)
            assert len(outcomes) == 20
            assert set(outcomes) <= {AuthenticationError, LockedOut}
            assert len(handler.asked) == tries
        async with bench.client(LIFTED) as client:
            with pytest.raises(AuthenticationError, match=r"refused this key 3 times.*tried again from .* UTC"):
                await client.send(get(1))
        await bench.clock.sleep(901)
        async with bench.client(LIFTED) as client:
            with pytest.raises(AuthenticationError, match="token, e-mail or region"):
                await client.send(get(1))
        assert len(handler.asked) == 4
        async with bench.client(LIFTED) as client:
            with pytest.raises(AuthenticationError, match="refused this key 4 times"):
                await client.send(get(1))
        assert len(handler.asked) == 4
        async with bench.client(LIFTED, token="another") as client:
            with pytest.raises(AuthenticationError):
                await client.send(get(1))
        assert len(handler.asked) == 5


@pytest.mark.asyncio
async def test_a_key_that_was_refused_once_is_tried_again_by_the_same_process():
    """A revoked key that is renewed, a slip of Precoro's: nobody should have to restart a service for it."""
    refused = False
    asked = 0

    async def handler(request: web.BaseRequest) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response({}, status=401 if refused else 200)

    async def burst(client: Throttled, first: int) -> list[object]:
        outcomes: list[object] = []
        async with anyio.create_task_group() as tasks:
            for number in range(9):
                tasks.start_soon(_keep, outcomes, client, get(first + number))
        return outcomes

    async with serving(handler) as origin:
        bench = Bench(origin, scale=600.0)
        async with bench.client(LIFTED) as client:
            await client.send(get(1))
            refused = True
            assert await burst(client, 100) == [AuthenticationError] * 9
            before = asked
            await bench.clock.sleep(901)
            assert await burst(client, 200) == [AuthenticationError] * 9
            assert asked == before + 1, "it is tried by one call"
            await bench.clock.sleep(901)
            refused = False
            assert await burst(client, 300) == [200] * 9
        assert bench.book.refusals == {}


@pytest.mark.asyncio
async def test_a_success_forgets_refusals():
    handler = in_turn(lambda: web.json_response({}, status=401))
    async with serving(handler) as origin:
        bench = Bench(origin)
        async with bench.client(LIFTED) as client:
            with pytest.raises(AuthenticationError):
                await client.send(get(1))
        assert bench.book.refusals
        async with bench.client(LIFTED) as client:
            await client.send(get(1))
    assert bench.book.refusals == {}


@pytest.mark.asyncio
async def test_a_missing_role_is_not_a_refused_key():
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.json_response({}, status=403 if request.path.startswith("/closed") else 200)

    async with serving(handler) as origin, Bench(origin).client(LIFTED) as client:
        await client.send(get(1))
        for n in range(12):
            with pytest.raises(Forbidden):
                await client.send(Request("GET", f"/closed{n}"))
        await client.send(get(2))


@pytest.mark.asyncio
async def test_a_key_that_is_shut_out_where_it_was_welcome_is_refused_at_the_third_call():
    open_ = True

    async def handler(request: web.BaseRequest) -> web.Response:
        return web.json_response({}, status=200 if open_ else 403)

    async with serving(handler) as origin, Bench(origin).client(LIFTED) as client:
        await client.send(Request("GET", "/invoices"))
        open_ = False
        for n in (1, 2):
            with pytest.raises(Forbidden):
                await client.send(Request("GET", f"/invoices/{n}"))
        with pytest.raises(AuthenticationError, match="blocked"):
            await client.send(Request("GET", "/invoices"))
        with pytest.raises(AuthenticationError):
            await client.send(Request("GET", "/invoices"))


@pytest.mark.asyncio
async def test_documents_that_are_closed_to_a_good_key_hold_up_no_list_and_no_payment():
    asked: list[str] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        closed = request.path.startswith("/invoices/") and int(request.path.rpartition("/")[2]) < 100
        return web.json_response({}, status=403 if closed else 200)

    async with serving(handler) as origin:
        bench = Bench(origin, scale=600.0)
        async with bench.client(LIFTED) as client:
            await client.send(Request("GET", "/invoices"))
            for n in range(0, 12, 2):
                for closed in (n, n + 1):
                    with pytest.raises(Forbidden):
                        await client.send(detail(closed))
                before = len(asked)
                with pytest.raises(KeyInDoubt, match="/invoices/100"):
                    await client.send(detail(100))
                assert len(asked) == before
                if n % 4:
                    await bench.clock.sleep(901)
                else:
                    pays = Request("GET", f"/invoices/{200 + n}", lane=Lane.PAYMENTS)
                    assert (await client.send(pays)).status == 200
                assert (await client.send(detail(101 + n))).status == 200
            assert bench.book.refusals == {}


@pytest.mark.asyncio
async def test_what_was_under_way_together_is_forbidden_once():
    """A slow server has several calls in hand when it refuses the first of them."""

    async def handler(request: web.BaseRequest) -> web.Response:
        if request.path == "/invoices":
            return web.json_response({})
        await anyio.sleep(0.05)
        return web.json_response({}, status=403)

    async with serving(handler) as origin, Bench(origin).client(LIFTED) as client:
        await client.send(Request("GET", "/invoices"))
        outcomes: list[object] = []
        async with anyio.create_task_group() as tasks:
            for number in range(9):
                tasks.start_soon(_keep, outcomes, client, detail(number))
        assert AuthenticationError not in outcomes
        assert LockedOut not in outcomes
        assert (await client.send(Request("GET", "/invoices"))).status == 200


def detail(number: int) -> Request:
    return Request("GET", f"/invoices/{number}", lane=Lane.DETAILS)


@pytest.mark.asyncio
async def test_one_call_at_a_time_until_the_key_has_proved_itself():
    most = 0
    now = 0

    async def handler(request: web.BaseRequest) -> web.Response:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await anyio.sleep(0.01)
        now -= 1
        return web.json_response({}, status=503)

    async with serving(handler) as origin, Bench(origin).client(LIFTED) as client, anyio.create_task_group() as tasks:
        for n in range(5):
            tasks.start_soon(_outcome, client, get(n))
    assert most == 1


# The clock


@pytest.mark.asyncio
@pytest.mark.parametrize("days", [-1, 1])
async def test_a_clock_wrong_by_a_day_is_set_by_the_first_answer_and_the_windows_hold(days: int):
    server = StrictServer([(86400, 6)])
    server.skew = days * 86400.0
    true_now = time.time() + server.skew
    async with serving(server) as origin:
        bench = Bench(origin)
        # Five calls of an earlier process, stamped in the server's time, half a day ago.
        bench.book.calls = [(true_now - 43200 - n, b"") for n in range(5)]
        server.arrivals.extend(server.now() - 43200 - n for n in range(5))
        async with bench.client(limits(per_day=6)) as client:
            await client.send(get(1))
            assert bench.clock.now() == pytest.approx(true_now, abs=5)
            with pytest.raises(BudgetSpent) as spent:
                await client.send(get(2))
    assert server.refusals == []
    assert spent.value.resume_at == pytest.approx(true_now + 43200, abs=10)


# Failure and cancellation


@pytest.mark.asyncio
async def test_calls_that_never_left_are_not_counted_neither_now_nor_after_a_restart():
    async def gone(stream: object) -> None: ...

    async with talking(gone) as origin:
        pass
    bench = Bench(origin)
    for _ in range(2):
        async with bench.client(limits(per_day=2, same_get_per_minute=1)) as client:
            for _ in range(3):
                with pytest.raises(ConnectionFault):
                    await client.send(get(1))
    assert bench.book.calls == []


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("granted", [LIFTED, limits(per_second=100), limits(per_second=50, per_minute=40)])
async def test_whoever_is_cancelled_holds_nothing(seed: int, granted: Limits):
    draw = random.Random(seed)
    server = StrictServer(scale=10.0)

    async def handler(request: web.BaseRequest) -> web.Response:
        await anyio.sleep(draw.random() * 0.01)
        return await server(request)

    async with serving(handler) as origin:
        bench = Bench(origin, scale=10.0)
        async with bench.client(granted) as client:

            async def impatient(n: int) -> None:
                with anyio.move_on_after(draw.choice([0, 0.001, 0.01, 0.05])):
                    await client.send(get(n, draw.choice(list(Lane))))

            async with anyio.create_task_group() as tasks:
                for n in range(60):
                    tasks.start_soon(impatient, n)
                    if draw.random() < 0.3:
                        await anyio.sleep(0.002)
            gate = client._gate
            assert len(bench.book.calls) == (0 if granted is LIFTED else len(bench.restore_guard.calls))
            assert (gate._waiting, gate._leaving, gate._in_flight) == ([], None, set())
            assert (await client.send(get("last"))).status == 200


@pytest.mark.asyncio
async def test_a_failed_book_leaves_the_gate_open():
    class Full(MemoryBook):
        async def charge(self, *_: object) -> None:
            raise ServerFault("stands for a full disk")

    server = StrictServer()
    async with serving(server) as origin:
        bench = Bench(origin, book=Full())
        async with bench.client(limits(per_second=50)) as client:
            assert [await _outcome(client, get(n)) for n in range(3)] == [ServerFault] * 3
    assert server.targets == []


class FirstOneLate:
    """A wire whose connection stands only after a while, for the first request."""

    def __init__(self, clock: RealClock, seconds: float) -> None:
        self.sent: list[float] = []
        self._clock = clock
        self._seconds = seconds

    async def send(self, request: Request, on_sent: OnSent) -> Answer:
        await self._clock.sleep(0.0 if self.sent else self._seconds)
        self.sent.append(self._clock.now())
        await on_sent()
        return Answer(200, {"Content-Type": "application/json"}, b"{}", None)


@pytest.mark.asyncio
async def test_after_a_restart_a_call_counts_from_when_it_left_not_from_when_it_was_charged() -> None:
    bench = Bench("http://127.0.0.1:1", scale=20)
    wire = FirstOneLate(bench.clock, 4.0)
    around = GateDependencies(bench.book, bench.clock, bench.restore_guard)
    for _ in range(2):
        ours = credentials(bench.origin)
        async with Throttled(wire, ours, limits(same_get_per_minute=1), around) as client:  # type: ignore[arg-type]
            await client.send(get(1))
        await bench.clock.sleep(10.0)
    assert wire.sent[1] - wire.sent[0] >= 60
