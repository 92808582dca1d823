"""Leases, epochs and the fence on a real PostgreSQL, one step after the other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from signal import SIGCONT, SIGSTOP
from typing import Any

import anyio
import psycopg
import pytest

from precoro_daemon.adapters.listener.control import Executor
from precoro_daemon.adapters.state.postgresql.epoch_fence import EpochFence
from precoro_daemon.adapters.state.postgresql.fleet_commands import FleetCommand, PostgresFleet
from precoro_daemon.adapters.state.postgresql.fleet_session import session_settings
from precoro_daemon.adapters.state.postgresql.leases import PostgresLeases
from precoro_daemon.app.fleet_commands import CommandPost
from precoro_daemon.errors import Deposed, StoreUnavailable, StoreUnusable
from precoro_daemon.payments.commands import Command
from precoro_daemon.runtime.ports import Leases
from tests.adapters.state.postgresql.fleets import LEASE, Tables, fleet_database


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "leases") as tables:
        tables.enrol("acme", "bolt", "cord")
        yield tables


@asynccontextmanager
async def joined(tables: Tables, name: str, lease: float = LEASE, **more: Any) -> AsyncIterator[PostgresLeases]:
    leases = PostgresLeases(tables.conninfo, lease, name, **more)
    await leases.join()
    try:
        yield leases
    finally:
        await leases.close()


KNOWN = ("acme", "bolt", "cord")


@pytest.mark.asyncio
async def test_a_company_is_taken_once_and_its_epoch_grows_with_each_hand_over(tables: Tables):
    async with joined(tables, "a") as a, joined(tables, "b") as b:
        port: Leases = a
        first = await port.take(KNOWN, 2)
        assert [(one.epoch, one.schema) for one in first] == [(1, "of_acme"), (1, "of_bolt")]
        assert [one.company for one in await b.take(KNOWN, 3)] == ["cord"]
        assert await b.take(KNOWN, 3) == []
        assert await a.release(["acme", "cord"]) == {"acme"}
        assert [(one.company, one.epoch) for one in await b.take(KNOWN, 3)] == [("acme", 2)]
        assert [one.company for one in await a.holdings() or ()] == ["bolt"]
        await a.leave()
        assert [(one.company, one.epoch) for one in await b.take(KNOWN, 3)] == [("bolt", 2)]


@pytest.mark.asyncio
async def test_workers_know_how_many_call_by_their_address_and_what_each_takes(tables: Tables):
    async with joined(tables, "a", egress="gate", most=2) as a, joined(tables, "b", egress="gate") as b:
        async with joined(tables, "c", egress="other") as c, joined(tables, "command"):
            assert [(await one.survey(KNOWN)).sharing for one in (a, b, c)] == [2, 2, 1]
            assert (await c.survey(KNOWN)).most == {a.worker: 2}
        tables.expire(b.worker)
        assert (await a.survey(KNOWN)).sharing == 1


@pytest.mark.asyncio
async def test_a_worker_knows_for_which_companies_it_alone_has_a_file(tables: Tables):
    async with (
        joined(tables, "a") as a,
        joined(tables, "b") as b,
        joined(tables, "command"),
        PostgresFleet(tables.conninfo, LEASE) as fleet,
    ):
        assert (await a.survey(KNOWN)).only_here == frozenset(), "nobody said yet what it knows"
        tables.rows("DELETE FROM precoro_fleet.workers WHERE name = 'command'")
        await fleet.declare(b.worker, {"bolt": "settings", "dale": "settings"})
        seen = await a.survey(KNOWN)
        assert (seen.only_here, seen.companies, seen.free) == ({"acme", "cord"}, 1, 1)
        tables.expire(b.worker)
        seen = await a.survey(KNOWN)
        assert (seen.only_here, seen.companies) == (frozenset(), 3), "there is no other"


@pytest.mark.asyncio
async def test_tables_of_an_earlier_version_get_what_they_lack(tables: Tables):
    for column in ("egress", "most", "configurations"):
        tables.rows(f"ALTER TABLE precoro_fleet.workers DROP COLUMN {column}")
    tables.rows("ALTER TABLE precoro_fleet.workers ADD COLUMN address text")
    async with joined(tables, "a", egress="gate") as a, joined(tables, "b", egress="gate"):
        assert (await a.survey(KNOWN)).sharing == 2


@pytest.mark.asyncio
async def test_only_a_company_that_is_known_here_is_taken(tables: Tables):
    async with joined(tables, "a") as a:
        assert [one.company for one in await a.take(["bolt"], 3)] == ["bolt"]
        assert (await a.survey(["bolt", "cord"])).free == 1


@pytest.mark.asyncio
async def test_a_lease_that_ran_out_is_never_renewed_and_its_companies_are_free(tables: Tables):
    async with joined(tables, "a") as a, joined(tables, "b") as b:
        assert len(await a.take(KNOWN, 2)) == 2
        assert await a.holdings() is not None
        tables.expire(a.worker)
        assert await a.holdings() is None
        with anyio.fail_after(5):
            a.doubt()  # it renews at once, and finds that there is nothing to renew
            await a.keep()
        assert a.standing.over(anyio.current_time())
        assert await a.take(KNOWN, 3) == []
        assert (await b.survey(KNOWN)).free == 3
        assert sorted(one.epoch for one in await b.take(KNOWN, 3)) == [1, 2, 2]
        former = a.worker
        await a.join()
        assert a.worker != former
        assert await a.holdings() == []


@pytest.mark.asyncio
@pytest.mark.parametrize("check", [EpochFence.check, EpochFence.check_permit])
async def test_the_fence_refuses_who_was_replaced_and_holds_up_a_hand_over(
    tables: Tables, check: Callable[[EpochFence, psycopg.Cursor[Any]], None]
):
    async with joined(tables, "a") as a, joined(tables, "b") as b:
        (holding,) = await a.take(["acme"], 1)
        fence = EpochFence(holding, a.worker, LEASE)
        with psycopg.connect(tables.conninfo) as state, state.transaction(), state.cursor() as cursor:
            check(fence, cursor)
            assert await a.release(["acme"]) == set()  # nobody waits for a transaction
            tables.expire(a.worker)
            assert await b.take(["acme"], 1) == []
        assert [one.epoch for one in await b.take(["acme"], 1)] == [2]
        with (
            psycopg.connect(tables.conninfo) as state,
            state.cursor() as cursor,
            pytest.raises(Deposed, match="acme"),
        ):
            check(fence, cursor)


@pytest.mark.asyncio
async def test_a_company_that_came_back_under_a_later_epoch_is_not_the_former_one(tables: Tables):
    async with joined(tables, "a") as a:
        (former,) = await a.take(["acme"], 1)
        await a.release(["acme"])
        (present,) = await a.take(["acme"], 1)
        with psycopg.connect(tables.conninfo) as state, state.cursor() as cursor:
            EpochFence(present, a.worker, LEASE).check(cursor)
            with pytest.raises(Deposed):
                EpochFence(former, a.worker, LEASE).check(cursor)


@pytest.mark.asyncio
async def test_a_permit_needs_a_third_of_the_lease_and_the_rest_of_the_state_does_not(tables: Tables):
    async with joined(tables, "a") as a:
        (holding,) = await a.take(["acme"], 1)
        fence = EpochFence(holding, a.worker, LEASE)
        tables.rows("UPDATE precoro_fleet.workers SET alive_until = clock_timestamp() + interval '4 s'")
        with psycopg.connect(tables.conninfo) as state, state.cursor() as cursor:
            fence.check(cursor)
            with pytest.raises(Deposed, match="too old for a payment"):
                fence.check_permit(cursor)
        async with anyio.create_task_group() as tasks:
            a.doubt()
            tasks.start_soon(a.keep)
            with anyio.fail_after(5):
                while not a.standing.lets_call(anyio.current_time()):  # noqa: ASYNC110 - a thread renews it
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
        with psycopg.connect(tables.conninfo) as state, state.cursor() as cursor:
            fence.check_permit(cursor)


STOPPED = """
import sys, psycopg, time
from precoro_daemon.adapters.listener.control import Executor
from precoro_daemon.adapters.state.postgresql.epoch_fence import EpochFence
from precoro_daemon.adapters.state.postgresql.fleet_session import session_settings
from precoro_daemon.runtime.tenure import Holding
conninfo, worker, way = sys.argv[1:]
settings = session_settings(1000.0, worker)
state = psycopg.connect(conninfo, **settings)
cursor = state.cursor()
EpochFence(Holding("acme", 1, ""), worker, 1.0 if way == "idle" else 1000.0).check(cursor)
if way == "copy":
    cursor.execute("CREATE TEMPORARY TABLE pages (data text)")
    copying = cursor.copy("COPY pages FROM STDIN")
    copying.__enter__().write_row(["one"])
print("inside", flush=True)
time.sleep(600)
"""


@pytest.mark.asyncio
@pytest.mark.parametrize("way", ["idle", "copy"])
async def test_a_worker_that_is_stopped_inside_a_transaction_keeps_its_company_for_a_lease_at_most(
    tables: Tables, way: str
):
    """In the midst of a COPY no time-out of the server helps: the next worker ends the session."""
    async with joined(tables, "a") as a, joined(tables, "b") as b:
        assert await a.take(["acme"], 1)
        command = [sys.executable, "-c", STOPPED, tables.conninfo, a.worker, way]
        process = await anyio.to_thread.run_sync(lambda: subprocess.Popen(command, stdout=subprocess.PIPE))
        try:
            assert process.stdout is not None
            assert await anyio.to_thread.run_sync(process.stdout.readline) == b"inside\n"
            process.send_signal(SIGSTOP)
            assert await b.take(["acme"], 1) == []  # alive, and a transaction is under way
            tables.expire(a.worker)
            with anyio.fail_after(60):
                while not await b.take(["acme"], 1):  # noqa: ASYNC110 - what another program does
                    await anyio.sleep(0.1)
        finally:
            process.send_signal(SIGCONT)
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.mark.asyncio
async def test_a_company_is_moved_by_name_and_a_drained_worker_counts_no_more(tables: Tables):
    async with joined(tables, "a") as a, joined(tables, "b") as b, PostgresFleet(tables.conninfo, LEASE) as fleet:
        assert len(await a.take(KNOWN, 3)) == 3
        assert not await fleet.move("acme", "nobody")
        assert not await fleet.move("unknown", "b")
        assert await fleet.move("acme", "b")
        assert [one.moved_to for one in await a.holdings() or ()] == ["b", None, None]
        assert await a.release(["acme"]) == {"acme"}
        assert await a.take(KNOWN, 3) == []  # it waits for b
        assert [(await leases.survey(KNOWN)).moved_here for leases in (a, b)] == [0, 1]
        assert [one.company for one in await b.take(KNOWN, 3)] == ["acme"]
        assert await fleet.drain("b") == 1
        seen = await a.survey(KNOWN)
        assert (seen.held, seen.names) == ({a.worker: 2}, {"a"})
        await b.release(["acme"])
        assert [one.company for one in await a.take(KNOWN, 3)] == ["acme"]


@pytest.mark.asyncio
async def test_a_command_reaches_the_holder_once_and_wakes_it(tables: Tables):
    async with joined(tables, "a") as a, joined(tables, "b") as b, PostgresFleet(tables.conninfo, LEASE) as fleet:
        await a.take(["acme"], 1)
        await b.take(["bolt"], 1)
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(a.wait, 600.0)
                await anyio.sleep(0.1)
                number = await fleet.give("acme", "pause", {"reason": "a person"}, "anna")
        assert await fleet.take_commands(b.worker, KNOWN) == []
        given = FleetCommand(number, "acme", "pause", {"reason": "a person"}, "anna")
        assert await fleet.take_commands(a.worker, KNOWN) == [given]
        assert await fleet.take_commands(a.worker, KNOWN) == []
        await fleet.finish(b.worker, number, "not b's")
        await fleet.finish(a.worker, number, "done")
        assert tables.rows("SELECT outcome, done_at IS NOT NULL FROM precoro_fleet.commands") == [("done", True)]


@pytest.mark.asyncio
async def test_many_workers_that_take_at_once_share_without_a_company_twice(tables: Tables):
    many = [f"company{number}" for number in range(40)]
    tables.enrol(*many)
    workers = [PostgresLeases(tables.conninfo, LEASE, f"w{number}") for number in range(6)]
    taken: list[str] = []

    async def take(leases: PostgresLeases) -> None:
        await leases.join()
        for _ in range(4):
            taken.extend(one.company for one in await leases.take(many, 7))
        await leases.close()

    async with anyio.create_task_group() as tasks:
        for leases in workers:
            tasks.start_soon(take, leases)
    assert sorted(taken) == sorted(many)


@pytest.mark.asyncio
async def test_a_database_that_is_gone_is_unavailable_and_one_without_rights_unusable(tables: Tables, postgres: str):
    gone = PostgresLeases(tables.conninfo.replace("leases", "missing"), LEASE, "a")
    with pytest.raises(StoreUnusable, match=r"no such database for the fleet.*missing"):
        await gone.join()
    tables.rows("CREATE ROLE stranger LOGIN")
    try:
        with pytest.raises(StoreUnusable, match="denied"):
            await PostgresLeases(tables.conninfo.replace("user=postgres", "user=stranger"), LEASE, "a").join()
    finally:
        tables.rows("DROP ROLE stranger")


@pytest.mark.asyncio
async def test_a_session_that_was_cut_is_made_anew(tables: Tables):
    async with joined(tables, "a") as a:
        tables.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", a.worker)
        with pytest.raises(StoreUnavailable):
            await a.holdings()
        assert await a.holdings() == []


def test_a_session_lets_go_within_a_lease(tables: Tables):
    with psycopg.connect(tables.conninfo, **session_settings(LEASE, "me")) as connection:
        for setting, value in (("idle_in_transaction_session_timeout", "15s"), ("statement_timeout", "1min")):
            assert connection.execute("SELECT current_setting(%s)", (setting,)).fetchone() == (value,)


@pytest.mark.asyncio
async def test_a_command_of_another_version_is_refused_and_ends_no_worker(tables: Tables):
    """While a fleet is brought up to date, the command line is newer than the workers for a while."""

    async def work(command: Command) -> str:
        return f"{command.kind} done"

    async with (
        joined(tables, "a") as a,
        PostgresFleet(tables.conninfo, LEASE) as fleet,
        anyio.create_task_group() as tasks,
    ):
        await a.take(["acme"], 1)
        executor = Executor(work)
        async with executor.open():
            post = CommandPost(tables.conninfo, LEASE, lambda: a.worker, {"acme": executor})
            tasks.start_soon(post.run)
            outcomes = []
            for kind in ("unheard of", "plan"):
                number = await fleet.give("acme", kind, {"kind": kind, "by": "anna"}, "anna")
                with anyio.fail_after(30):
                    while (outcome := await fleet.outcome(number)) is None:
                        await fleet.wait(0.1)
                outcomes.append(outcome)
            tasks.cancel_scope.cancel()
    assert "is it of another version?" in outcomes[0]
    assert "plan done" in outcomes[1]
