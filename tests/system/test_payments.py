"""The real program, a real sandbox and real books: both directions, the commands, and kill -9 at every step."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from precoro_daemon.sandbox import Sandbox, SandboxOptions, paying, schema, serve
from precoro_daemon.sandbox import ledger as sandbox_ledger
from precoro_daemon.sandbox.filters import moment
from precoro_daemon.sandbox.rows import Row
from tests.cli.terminals import terminal
from tests.payments.scene import payments
from tests.system.program import NO_LIMITS, Finished, Program, finish
from tests.system.test_once import until

pytestmark = pytest.mark.asyncio

DAY = "2026-01-15"
SCALE = 60.0
"""An hour passes in a minute: a doubt's first look comes after a second."""


@dataclass
class Stage:
    sandbox: Sandbox
    program: Program
    ledger: Path

    def invoice(self, total: int = 10_000) -> Row:
        supplier = next(iter(self.sandbox.company["suppliers"]))
        return self.sandbox.company.create(
            "invoices", status=schema.APPROVED, total=total, currency="EUR", supplier=supplier
        )

    async def pays(self, invoice: Row, cents: int = 10_000) -> None:
        await anyio.to_thread.run_sync(sandbox_ledger.record, self.ledger, invoice, cents, DAY)

    async def once(self, *arguments: str) -> Finished:
        done = await self.program.once(*arguments)
        assert done.stderr == "", done
        return done

    async def command(self, *arguments: str) -> Finished:
        return await self.program.run("payments", *arguments)

    def intents(self) -> list[tuple[str, str]]:
        rows = self.program.query("SELECT direction, state FROM intents ORDER BY since, id")
        return [(row["direction"], row["state"]) for row in rows]

    @property
    def entries(self) -> list[Any]:
        return [row for row in sandbox_ledger.read(self.ledger) if row[3] is not None]


@asynccontextmanager
async def stage(directory: Path, **options: Any) -> AsyncIterator[Stage]:
    given: dict[str, Any] = {"size": "empty", "counts": {"suppliers": 2}, "limits": False, "time_scale": SCALE}
    async with serve(SandboxOptions(**given | options)) as sandbox:
        program = Program(directory, sandbox.url)
        ledger = directory / "books.db"
        await anyio.to_thread.run_sync(sandbox_ledger.found, ledger)
        program.sections |= {
            "limits": NO_LIMITS | {"time_scale": SCALE},
            "mirror_collections": {"collections": ["invoices", "payments", "suppliers"]},
            "ledger": {"kind": "sql", "name": "books"},
            "ledger.sql": {
                "url": f"sqlite:///{ledger}",
                "read": sandbox_ledger.READ,
                "start": "0",
                "insert": sandbox_ledger.INSERT,
                "find": sandbox_ledger.FIND,
            },
            "payments": {"kill_switch": str(directory / "stop")},
            "mark_invoices_paid": {"enabled": True, "match_by": "idn"},
            "export_payments": {"enabled": True},
        }
        await program.found()
        yield Stage(sandbox, program, ledger)


async def test_both_directions_from_books_to_precoro_and_back(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        paid, partly, by_hand = it.invoice(10_001), it.invoice(), it.invoice()
        await it.once()
        await it.pays(paid)
        await it.pays(partly, 4_000)
        done = await it.once()
        assert [line["reason"] for line in done.only("payments_suspended")] == [
            "they were never armed; run `precoro-daemon payments arm` to allow sending"
        ]
        plan = json.loads((await it.command("plan", "--json")).stdout)
        assert sorted((row["amount"], row["fate"]) for row in plan["payments"]) == [
            ("100.00", "send"),
            ("40.00", "send"),
        ]
        assert plan["closed"].startswith("they were never armed")
        assert await anyio.to_thread.run_sync(answered, it.program, "n") == 130, "nobody allowed it"
        assert await anyio.to_thread.run_sync(answered, it.program, "y") == 0
        pay_day = "2026-01-20T00:00:00"
        it.sandbox.company.edit(by_hand)
        await person_pays(it.sandbox, by_hand, 7_000, pay_day)
        made = json.loads((await it.program.once("--json")).stdout)
        moved = [(one["direction"], one["state"], one["amount"]) for one in made["payments"]["moved"]]
        assert sorted(moved) == [
            ("to_ledger", "confirmed", "70.00"),
            ("to_precoro", "confirmed", "100.01"),
            ("to_precoro", "confirmed", "40.00"),
        ], "the remainder is sent where the ledger misses it by a cent"
        assert (payments(paid), payments(partly), payments(by_hand)) == ([10_001], [4_000], [7_000])
        assert [(row[1], row[2]) for row in it.entries] == [(str(by_hand.idn), "70.00")]
        for _ in range(2):
            assert (await it.once()).code == 0
        assert (payments(paid), payments(partly), payments(by_hand)) == ([10_001], [4_000], [7_000])
        assert len(it.entries) == 1
        assert sorted(it.intents()) == [("to_ledger", "confirmed")] + [("to_precoro", "confirmed")] * 2


def answered(program: Program, answer: str) -> int:
    """How `payments arm` on a terminal ends after that answer."""
    with terminal(["payments", "arm", "--config", str(program.config)], program.directory) as shown:
        shown.expect("To be sent, to Precoro: 2 payments, 140.01 EUR\n")
        shown.expect("Allow payments to be sent?")
        shown.type(answer)
        return shown.end()


async def person_pays(sandbox: Sandbox, invoice: Row, cents: int, day: str) -> None:
    paying.pay(sandbox.company, "payments", invoice, paying.Wish(cents, moment(day, "payDate")))


async def test_the_commands_decide_and_tell(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        invoice = it.invoice()
        await it.pays(invoice, 12_000)
        assert (await it.command("arm")).code == 0
        await it.once()
        applied = json.loads((await it.command("apply", "--json")).stdout)
        nothing = {"steps": 0, "failed": [], "stopped": None, "resume_at": None}
        assert applied["jobs"] == dict.fromkeys(("mark_invoices_paid", "export_payments"), nothing)
        assert (applied["by_service"], applied["closed"]) == (False, None)
        review = await it.command("review")
        assert "the ledger has 120.00" in " ".join(review.stdout.split())
        [held] = json.loads((await it.command("review", "--json")).stdout)["payments"]
        status = await it.program.run("status")
        assert "Payments to Precoro: 1 review" in status.stdout
        assert json.loads((await it.program.run("status", "--json")).stdout)["payments"][0]["state"] == "review"
        ident = held["id"][:8]
        refused = await it.command("adopt", ident)
        assert (refused.code, "say which payment it is there" in refused.stderr) == (2, True)
        assert "now planned" in (await it.command("repost", ident)).stdout
        await it.once()
        assert "now rejected" in (await it.command("drop", ident, "--reason", "a typing error")).stdout
        again = await it.command("drop", ident)
        assert (again.code, "is rejected" in again.stderr) == (2, True)
        trace = json.loads((await it.command("trace", ident, "--json")).stdout)
        assert [line["event"] for line in trace["journal"]] == ["plan", "hold", "repost", "hold", "drop"]
        assert trace["journal"][-1]["reason"].endswith("does not want it sent: a typing error")
        assert "a typing error" in (await it.command("trace", ident)).stdout
        assert "no payment has an id" in (await it.command("trace", "zzzz")).stderr
        assert (await it.command("disarm", "--reason", "audit")).code == 0
        assert "audit" in (await it.command("plan")).stdout
        assert re.search(r"Payments are held back: disarmed by \w+: audit\.", (await it.program.run("status")).stdout)
        await anyio.Path(tmp_path / "stop").touch()
        [disarmed, stopped] = json.loads((await it.program.run("status", "--json")).stdout)["payments_held_back"]
        assert (disarmed.endswith(": audit"), stopped) == (True, f"the kill-switch file {tmp_path / 'stop'} is there")
        assert payments(invoice) == []


async def test_an_ambiguous_payment_is_assigned_by_a_person(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        it.program.sections["mark_invoices_paid"] |= {"match_by": "external_id"}
        first, second = it.invoice(), it.invoice()
        for invoice in (first, second):
            it.sandbox.company.edit(invoice, external_id=str(first.idn))
        await it.pays(first, 4_000)
        assert (await it.command("arm")).code == 0
        await it.once()
        [held] = json.loads((await it.command("review", "--json")).stdout)["payments"]
        assert "ambiguous" in held["why"]
        assert (await it.command("repost", held["id"])).code == 2
        assert (await it.command("repost", held["id"], "--invoice", str(second.id))).code == 0
        await it.once()
        assert (payments(first), payments(second)) == ([], [4_000])


async def test_the_kill_switch_and_apply(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        invoice = it.invoice()
        await it.pays(invoice)
        assert (await it.command("arm")).code == 0
        await it.once("--only", "mirror_collections")
        stop = anyio.Path(tmp_path / "stop")
        await stop.touch()
        done = await it.command("apply")
        assert (done.code, f"nothing is sent: the kill-switch file {stop} is there" in done.stdout) == (0, True)
        assert payments(invoice) == []
        await stop.unlink()
        assert (await it.command("apply")).code == 0
        assert payments(invoice) == [10_000]


async def test_where_no_state_is_nothing_is_ordered_and_none_is_made(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        assert f"this is the state {it.program.state}\n" in (await it.command("disarm")).stdout
        elsewhere = tmp_path / "elsewhere"
        await anyio.Path(elsewhere).mkdir()
        it.program.sections["state"] = {"url": "sqlite:///elsewhere/state.db"}
        orders = ("plan", "arm", "disarm", "apply", "adopt 3f", "repost 3f", "drop 3f")
        for order in orders:
            refused = await it.command(*order.split())
            assert (refused.code, refused.stdout) == (4, ""), (order, refused)
            assert f"There is no state in {elsewhere / 'state.db'} yet" in refused.stderr
        assert [one.name async for one in anyio.Path(elsewhere).iterdir()] == []


async def test_what_makes_no_call_lives_in_the_time_of_the_rehearsal(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        it.program.sections["limits"] |= {"per_day": 100_000}
        await it.once()
        assert (await it.command("disarm")).code == 0
        [[called_at]] = it.program.query("SELECT max(at) FROM calls")
        [[at]] = it.program.query("SELECT max(at) FROM journal")
        assert 0 <= at - called_at < 3_600


async def test_books_that_cannot_be_read_are_in_the_log(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        with closing(sqlite3.connect(it.ledger)) as other:
            other.execute("BEGIN EXCLUSIVE")
            done = await it.program.once("--only", "mark_invoices_paid")
        [told] = done.only("work_failed")
        assert (done.code, told["job"], told["level"]) == (3, "mark_invoices_paid", "warning")
        assert told["reason"].startswith("the ledger books could not be read: ")


@pytest.mark.parametrize(
    ("books", "said"),
    [
        ({"url": "sqlite:////nowhere/books.db"}, "there is no file /nowhere/books.db"),
        ({"read": None}, "[mark_invoices_paid] is enabled, and this ledger cannot be read"),
        ({"url": "postgresql://books.invalid/books"}, "the database cannot be reached"),
    ],
)
async def test_books_that_cannot_be_used_stop_nothing_but_payments(
    tmp_path: Path, books: dict[str, str | None], said: str
) -> None:
    async with stage(tmp_path) as it:
        given = it.program.sections["ledger.sql"] | books
        it.program.sections["ledger.sql"] = {key: value for key, value in given.items() if value is not None}
        it.invoice()
        done = await it.program.once()
        blocked = [line["reason"] for line in (*done.only("job_blocked"), *done.only("work_failed"))]
        assert done.code == 3
        assert said in blocked[0]
        assert "Traceback" not in done.stdout + done.stderr
        [fresh] = it.program.query("SELECT count(*) AS n FROM details")
        assert fresh["n"] == 1, "the mirror and the details go on"


async def test_a_service_goes_on_without_books_that_cannot_be_used(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        del it.program.sections["ledger.sql"]["read"]
        it.invoice()
        async with it.program.running("run") as process:
            await until(lambda: bool(it.program.query("SELECT 1 FROM details")))
            process.send_signal(signal.SIGTERM)
            done = await finish(process)
        assert [line["job"] for line in done.only("job_blocked")] == ["mark_invoices_paid"]
        assert done.code == 0


async def test_a_restored_store_sends_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        first, second = it.invoice(), it.invoice()
        assert (await it.command("arm")).code == 0
        await it.once()
        copy = await anyio.Path(tmp_path / "state.db").read_bytes()
        await it.pays(first, 4_000)
        await it.once()
        assert payments(first) == [4_000]
        for rest in ("-wal", "-shm"):
            await anyio.Path(tmp_path / f"state.db{rest}").unlink(missing_ok=True)
        await anyio.Path(tmp_path / "state.db").write_bytes(copy)
        await it.pays(second, 5_000)
        done = await it.once()
        assert "restored" in done.only("payments_suspended")[0]["reason"]
        assert (payments(first), payments(second)) == ([4_000], [])
        assert (await it.command("arm")).code == 0
        await it.once()
        assert (payments(first), payments(second)) == ([4_000], [5_000])


@dataclass
class KillingRule:
    """Not a fault: kills the program when a call arrives, before it is answered or after it was carried out."""

    kind: str
    method: str
    path: str
    kill: Callable[[], None]
    after: bool = False
    struck: int = 0

    def strikes(self, method: str, path_qs: str, random: object) -> bool:
        if self.struck or method != self.method or self.path not in path_qs:
            return False
        self.struck += 1
        if not self.after:
            self.kill()
        return self.after


async def _kill_when(it: Stage, holds: Callable[[sqlite3.Connection], bool]) -> bool:
    """Run the program and kill -9 it as soon as its journal is in a state; whether that came."""
    async with it.program.running("--once") as process:
        uri = f"{it.program.state.as_uri()}?mode=ro"
        while process.returncode is None:
            try:
                with closing(sqlite3.connect(uri, uri=True)) as connection:
                    if holds(connection):
                        process.kill()
                        return True
            except sqlite3.Error:
                pass  # it is not there yet, or is just being made
            await anyio.sleep(0.001)
    return False


def _reached(event: str) -> Callable[[sqlite3.Connection], bool]:
    def holds(connection: sqlite3.Connection) -> bool:
        return connection.execute("SELECT 1 FROM journal WHERE event = ?", [event]).fetchone() is not None

    return holds


STEPS = ("plan", "send", "accept", "see", "before the look", "before the POST", "after the POST")


@pytest.mark.parametrize(
    ("step", "cents"), [*((step, 4_000) for step in STEPS), ("send", 10_000), ("after the POST", 10_000)]
)
async def test_killed_at_every_journal_step_nothing_is_paid_twice(tmp_path: Path, step: str, cents: int) -> None:
    async with stage(tmp_path, latency=0.02) as it:
        invoice = it.invoice()
        await it.pays(invoice, cents)
        assert (await it.command("arm")).code == 0
        await _kill_at(it, step)
        for _ in range(2):
            await it.once()
            await anyio.sleep(1.2)
        made = payments(invoice)
        assert made in ([cents], []), "never twice"
        [(_, state)] = it.intents()
        if made:
            assert state in ("confirmed", "review")
        else:
            assert state in ("doubt", "review"), "never silently lost"
        assert it.entries == [], "no echo"


async def _kill_at(it: Stage, step: str) -> None:
    if step in ("plan", "send", "accept", "see"):
        await _kill_when(it, _reached(step))
        return
    method, path = ("GET", "/invoices/") if step == "before the look" else ("POST", "/payments")
    async with it.program.running("--once") as process:
        after = step == "after the POST"
        rule: Any = KillingRule("commit_then_cut", method, path, process.kill, after)
        it.sandbox.faults.rules.append(rule)
        await process.wait()
        it.sandbox.faults.rules.remove(rule)
        assert rule.struck == 1


async def test_a_lap_with_nothing_to_do_is_one_call_to_precoro(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        it.program.sections["mirror_collections"]["collections"] = ["invoices"]
        it.program.sections["fetch_details"] = {"collections": []}
        await it.pays(it.invoice())
        assert (await it.command("arm")).code == 0
        with anyio.fail_after(60):
            while ("to_precoro", "confirmed") not in it.intents():
                await it.once()
                await anyio.sleep(1.2)  # a minute later the payment is looked for on its invoice
        await it.once()
        it.sandbox.journal.clear()
        await it.once()
        calls = [f"{entry.method} {entry.path_qs.split('?')[0]}" for entry in it.sandbox.journal]
        assert calls == ["GET /invoices"]
