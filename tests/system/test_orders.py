"""Commands about payments beside the running service: it carries out what they ask, and they look past it."""

from __future__ import annotations

import json
import signal
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from anyio.abc import Process

from precoro_daemon.adapters.state.sqlite.holder import held
from precoro_daemon.sandbox.rows import Row
from tests.payments.scene import payments
from tests.system.program import finish
from tests.system.test_payments import Stage, stage

pytestmark = pytest.mark.asyncio


def for_hours(it: Stage) -> None:
    """Nothing comes by itself: what happens was ordered. (An hour of theirs is a minute.)"""
    for name in ("mirror_collections", "mark_invoices_paid", "export_payments"):
        it.program.sections[name] |= {"every": "100h"}


async def until(true: Callable[[], object], within: float = 60) -> None:
    with anyio.fail_after(within):
        while not true():  # noqa: ASYNC110 - it is another process
            await anyio.sleep(0.05)


async def ends(process: Process) -> None:
    process.send_signal(signal.SIGTERM)
    done = await finish(process)
    assert (done.code, done.stderr) == (0, "")


async def at_work(it: Stage) -> None:
    """The service has mirrored, read the ledger, and rests."""
    laps = "SELECT 1 FROM laps WHERE job = 'export_payments'"
    await until(lambda: it.program.state.exists() and Path(f"{it.program.state}.control").exists())
    await until(lambda: it.program.query(laps))


@asynccontextmanager
async def one_to_decide(it: Stage, invoice: Row) -> AsyncIterator[tuple[Process, str]]:
    """The ledger paid too much; the running service, and the id of what a person is to decide."""
    for_hours(it)
    await it.pays(invoice, 12_000)
    assert (await it.command("arm")).code == 0
    async with it.program.running("run") as process:
        await at_work(it)
        await until(lambda: it.program.query("SELECT 1 FROM journal WHERE event = 'hold'"))  # this way may come last
        [found] = json.loads((await it.command("review", "--json")).stdout)["payments"]
        yield process, found["id"][:8]


async def test_a_payment_is_planned_armed_and_sent_while_the_service_runs(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        invoice, other = it.invoice(), it.invoice()
        for_hours(it)
        async with it.program.running("run") as process:
            await at_work(it)
            await it.pays(invoice)
            plan = await it.command("plan", "--json")
            told = json.loads(plan.stdout)
            assert [(row["amount"], row["fate"]) for row in told["payments"]] == [("100.00", "send")]
            assert told["closed"].startswith("they were never armed")
            armed = await it.command("arm")
            assert (armed.code, armed.stderr) == (0, "")
            assert armed.stdout.startswith("armed: payments are sent from the next lap on; ")
            await until(lambda: payments(invoice) == [10_000])
            await it.pays(other)
            applied = await it.command("apply")
            assert (applied.code, "the running service was woken" in applied.stdout) == (0, True), applied
            await until(lambda: payments(other) == [10_000])
            assert (await it.command("disarm", "--reason", "audit")).code == 0
            assert "audit" in (await it.command("plan")).stdout
            await ends(process)
        assert it.intents() == [("to_precoro", "confirmed")] * 2


async def test_a_state_that_is_removed_under_the_service_ends_all_sending(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        invoice = it.invoice()
        for_hours(it)
        it.program.sections["mark_invoices_paid"] |= {"every": "60s"}  # a second of ours
        assert (await it.command("arm")).code == 0
        async with it.program.running("run") as process:
            await at_work(it)
            await anyio.Path(it.program.state).unlink()
            await it.pays(invoice)
            await anyio.sleep(4)
            process.send_signal(signal.SIGTERM)
            done = await finish(process)
        assert payments(invoice) == []
        assert "was removed or replaced while in use" in done.stdout + done.stderr
        assert done.code in (0, 4), "blocked until it was stopped, or ended by the first part that had to write"


async def test_a_person_decides_while_the_service_runs(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        invoice = it.invoice()
        async with one_to_decide(it, invoice) as (process, ident):
            assert "the ledger has 120.00" in " ".join((await it.command("review")).stdout.split())
            refused = await it.command("adopt", ident)
            assert (refused.code, "say which payment it is there" in refused.stderr) == (2, True), refused
            assert "no payment has an id" in (await it.command("drop", "zzzz")).stderr
            assert "now planned" in (await it.command("repost", ident)).stdout
            await until(lambda: it.program.query("SELECT 1 FROM journal WHERE event = 'hold' LIMIT 1 OFFSET 1"))
            assert "now rejected" in (await it.command("drop", ident, "--reason", "a typing error")).stdout
            trace = json.loads((await it.command("trace", ident, "--json")).stdout)
            process.send_signal(signal.SIGTERM)
            done = await finish(process)
        assert [line["event"] for line in trace["journal"]] == ["plan", "hold", "repost", "hold", "drop"]
        assert trace["journal"][-1]["reason"].endswith("does not want it sent: a typing error")
        assert [line["kind"] for line in done.only("command_executed")] == ["repost", "drop"]
        assert payments(invoice) == []


@pytest.mark.waits
async def test_a_decision_waits_for_no_payment_that_is_being_sent(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        doubtful, other = it.invoice(), it.invoice()
        async with one_to_decide(it, doubtful) as (process, ident):
            it.sandbox.tune(latency=15.0)
            await it.pays(other)
            assert (await it.command("apply")).code == 0
            await until(lambda: len(it.intents()) == 2)
            assert "now rejected" in (await it.command("drop", ident)).stdout
            assert payments(other) == [], "it is under way"
            planned = await it.command("plan")
            assert (planned.code, "this is by what it read before" in planned.stderr) == (0, True), planned
            it.sandbox.tune(latency=0.0)
            await until(lambda: payments(other) == [10_000], within=120)
            await ends(process)


async def test_the_socket_is_its_owners_alone_and_a_killed_service_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        for_hours(it)
        door = Path(f"{it.program.state}.control")
        for _ in range(2):
            async with it.program.running("run") as process:
                await until(lambda: answers(door))
                assert mode(door) == 0o600
                assert (await it.command("arm")).code == 0
                process.kill()
                await process.wait()
            assert mode(door)
            assert (await it.command("disarm")).code == 0, "nobody holds the state"
        async with it.program.running("run") as process:
            await until(lambda: answers(door))
            await ends(process)
        assert mode(door) is None


async def test_a_command_that_holds_the_state_for_a_moment_keeps_no_service_from_starting(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        assert (await it.command("arm")).code == 0
        with ExitStack() as lock:
            await anyio.to_thread.run_sync(lock.enter_context, held(it.program.state))
            async with it.program.running("run") as process:
                looked = await it.command("review", "--json")
                assert (looked.code, json.loads(looked.stdout)["payments"]) == (0, []), "a look holds nothing"
                await anyio.sleep(0.5)
                assert process.returncode is None
                lock.close()
                await until(lambda: answers(Path(f"{it.program.state}.control")))
                await ends(process)


async def test_what_takes_no_orders_is_named(tmp_path: Path) -> None:
    counts = {"suppliers": 2, "invoices": 200}
    async with stage(tmp_path, counts=counts, latency=5.0) as it, it.program.running("--once") as process:
        lock = Path(f"{it.program.state}.lock")
        await until(lambda: f"process {process.pid} on" in lock.read_text())
        refused = await it.command("arm")
        assert (refused.code, f"is held by process {process.pid} on" in refused.stderr) == (7, True), refused
        looked = await it.command("review", "--json")
        assert (looked.code, json.loads(looked.stdout)["payments"]) == (0, []), looked
        process.kill()


async def test_what_it_does_not_understand_it_says(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        for_hours(it)
        door = Path(f"{it.program.state}.control")
        async with it.program.running("run") as process:
            await until(lambda: answers(door))
            strange = (b'{"kind": "spend", "by": "me"}', b'{"kind": "arm", "by": "me", "only_if": "asked"}', b"")
            for body, status in (*((body, 400) for body in strange), (b"x" * 100_000, 413)):
                told = await anyio.to_thread.run_sync(posted, door, body)
                assert told.startswith(b"HTTP/1.1 %d" % status), told
            assert (await it.command("arm")).code == 0
            await ends(process)


@pytest.mark.parametrize("beside", [True, False])
async def test_whatever_is_said_with_it_an_order_to_stop_is_obeyed(tmp_path: Path, beside: bool) -> None:
    """Of bytes that are no text, and longer than any order may be."""
    async with stage(tmp_path) as it, AsyncExitStack() as stack:
        for_hours(it)
        if beside:
            await stack.enter_async_context(it.program.running("run"))
            await until(lambda: answers(Path(f"{it.program.state}.control")))
        for reason, shown in (("audit \udcff\udcfe", "audit ??"), ("x" * 20_000, f"{'x' * 1000}")):
            assert (await it.command("arm")).code == 0
            done = await it.command("disarm", "--reason", reason)
            assert (done.code, done.stderr) == (0, ""), done
            [(meta,)] = it.program.query(
                "SELECT reason FROM journal WHERE event = 'disarm' ORDER BY seq DESC LIMIT 1"
            )
            assert meta.endswith(f": {shown}")


async def test_an_order_that_is_refused_unread_was_not_done(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        for_hours(it)
        async with it.program.running("run") as process:
            await until(lambda: answers(Path(f"{it.program.state}.control")))
            refused = await it.command("adopt", "1234", "--payment", "x" * 20_000)
            assert (refused.code, "answered 413" in refused.stderr) == (2, True), refused
            await ends(process)


async def test_where_no_socket_can_be_the_service_runs_without(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        for_hours(it)
        await anyio.Path(f"{it.program.state}.control").mkdir()
        async with it.program.running("run") as process:
            await until(lambda: it.program.state.exists() and rows(it, "SELECT 1 FROM laps"))
            assert (await it.command("arm")).code == 7
            process.send_signal(signal.SIGTERM)
            done = await finish(process)
        assert (done.code, [line["what"] for line in done.only("listening_failed")]) == (0, ["commands"])


async def test_without_books_there_is_nothing_to_order(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        given: dict[str, Any] = dict(it.program.sections)
        for name in ("ledger", "ledger.sql", "mark_invoices_paid", "export_payments"):
            del it.program.sections[name]
        async with it.program.running("run") as process:
            await until(lambda: answers(Path(f"{it.program.state}.control")))
            it.program.sections = given
            refused = await it.command("arm")
            assert (refused.code, "there is no ledger" in refused.stderr) == (2, True), refused
            await ends(process)


def rows(it: Stage, sql: str) -> bool:
    try:
        return bool(it.program.query(sql))
    except Exception:  # noqa: BLE001 - it is not there yet
        return False


def answers(door: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(door)) == 0


def posted(door: Path, body: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as sender:
        sender.connect(str(door))
        sender.sendall(b"POST /commands HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
        with suppress(BrokenPipeError):  # it has its answer
            sender.sendall(body)
        return sender.recv(4096)


def mode(path: Path) -> int | None:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None
