"""A fleet of real workers on a real PostgreSQL: killed, stopped, drained; each payment is made once."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import anyio
import anyio.to_thread
import psycopg
import pytest

from precoro_daemon.app.company_files import read_companies
from precoro_daemon.sandbox import Sandbox, schema
from precoro_daemon.sandbox import ledger as sandbox_ledger
from precoro_daemon.sandbox.rows import Row
from tests.adapters.state.postgresql.fleets import LEASE, Tables, fleet_database
from tests.payments.scene import payments
from tests.system.companies import SECRETS, Companies, companies
from tests.system.program import NO_LIMITS, finish

pytestmark = pytest.mark.asyncio

SCALE = 60.0
"""A minute of the companies passes in a second; that of leases is a real one."""

NAMES = ("acme", "bolt", "coal")
STATES = "SELECT count(*) FROM pg_tables WHERE tablename = 'meta'"
HOLDERS = """SELECT c.name, w.name FROM precoro_fleet.companies c
LEFT JOIN precoro_fleet.workers w ON w.id = c.holder AND w.alive_until > clock_timestamp()"""


def plain(page: str) -> str:
    """Without its links."""
    return re.sub("</?a[^>]*>", "", page)


@dataclass
class World:
    """Three companies, the books of each, and what was paid in them."""

    fleet: Companies
    sandboxes: dict[str, Sandbox]
    tables: Tables
    postgres: str

    def found(self) -> None:
        self.fleet.leased = True
        self.fleet.share(
            state={"url": f"postgresql://postgres@{quote(self.postgres, safe='')}/{self.tables.name}"},
            limits=NO_LIMITS | {"time_scale": SCALE},
            mirror_collections={"collections": ["invoices", "payments", "suppliers"], "every": "3m"},
            mark_invoices_paid={"enabled": True, "match_by": "idn", "every": "3m"},
            log={"level": "warning"},
        )
        for name in self.sandboxes:
            sandbox_ledger.found(self.books(name))
            ledger = {"kind": "sql", "name": "books"}
            sql = {"url": f"sqlite:///{self.books(name)}", "read": sandbox_ledger.READ, "start": "0"}
            self.fleet.write(name, ledger=ledger, **{"ledger.sql": sql})

    async def told(self, worker: str, name: str, invoice: int) -> str:
        """A webhook that reaches a worker; gives the answer's status."""
        body = json.dumps({"id": invoice, "type": 3, "action": 1}).encode()
        answer = await self.fleet.asked(f"/{SECRETS[name]}", f"{worker}/hooks", "POST", body)
        return answer.split()[1]

    async def until_applied(self, name: str, invoice: int) -> None:
        [(state,)] = self.tables.rows("SELECT schema FROM precoro_fleet.companies WHERE name = %s", name)
        with anyio.fail_after(60):
            while not self.tables.rows(f"SELECT 1 FROM {state}.deliveries WHERE id = {invoice} AND outcome > ''"):  # noqa: ASYNC110
                await anyio.sleep(0.2)

    def books(self, name: str) -> Path:
        return self.fleet.directory / f"{name}-books.db"

    async def owe(self, name: str, count: int) -> list[Row]:
        """Invoices that the books have paid, and Precoro does not know of yet."""
        company = self.sandboxes[name].company
        made: list[Row] = []
        for _ in range(count):
            supplier = next(iter(company["suppliers"]))
            row = company.create("invoices", status=schema.APPROVED, total=10_000, currency="EUR", supplier=supplier)
            await anyio.to_thread.run_sync(sandbox_ledger.record, self.books(name), row, 10_000, "2026-01-15")
            made.append(row)
        return made

    def holders(self) -> dict[str, str | None]:
        with suppress(psycopg.errors.UndefinedTable):  # the first worker makes it
            return dict(self.tables.rows(HOLDERS))  # type: ignore[arg-type]
        return {}

    def of(self, worker: str) -> set[str]:
        return {company for company, holder in self.holders().items() if holder == worker}

    async def until_served_by(self, *workers: str, timeout: float = 60) -> float:
        """Seconds until these workers, and no others, serve all."""
        began = time.monotonic()
        with anyio.fail_after(timeout):
            while len(held := self.holders()) < len(NAMES) or set(held.values()) != set(workers):  # noqa: ASYNC110
                await anyio.sleep(0.2)
        return time.monotonic() - began

    async def until_paid(self, rows: list[Row]) -> None:
        with anyio.move_on_after(90):
            while not all(map(payments, rows)):  # noqa: ASYNC110 - other processes pay
                await anyio.sleep(0.2)
        assert [payments(row) for row in rows] == [[10_000]] * len(rows)

    async def typed(self, *words: str, code: int = 0) -> str:
        done = await self.fleet.typed(*words)
        assert (done.code, done.stderr if code == 0 else "") == (code, ""), done
        return done.stdout + done.stderr

    async def alone(self, name: str, *words: str, code: int = 0) -> str:
        return await self.typed(*words, "--config", str(self.fleet.files / f"{name}.toml"), code=code)

    async def fleet_typed(self, *words: str) -> str:
        return await self.typed("fleet", words[0], "--companies", str(self.fleet.files), *words[1:])

    async def payments_typed(self, name: str, word: str) -> str:
        return await self.alone(name, "payments", word)


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "fleet_of_workers") as found:
        yield found


async def test_a_company_of_another_state_is_refused_by_name(tmp_path: Path, postgres: str, tables: Tables) -> None:
    async with companies(tmp_path, "acme", "bolt") as (fleet, sandboxes):
        await anyio.to_thread.run_sync(World(fleet, sandboxes, tables, postgres).found)
        fleet.leased = False
        path = fleet.write("bolt", mark_invoices_paid={"enabled": False})
        files = await anyio.to_thread.run_sync(read_companies, fleet.files, {})
    assert (files.leased, set(files.companies)) == (True, {"acme"})
    assert files.refused["bolt"].startswith(f"{path}: state.url: sqlite:")
    assert "is not the database of the fleet" in files.refused["bolt"]


async def test_companies_go_on_whatever_befalls_their_workers(tmp_path: Path, postgres: str, tables: Tables) -> None:
    async with companies(tmp_path, *NAMES, time_scale=SCALE) as (fleet, sandboxes):
        world = World(fleet, sandboxes, tables, postgres)
        world.found()
        async with fleet.running("one") as one, fleet.running("two") as two:
            await world.until_served_by("one", "two")
            with anyio.fail_after(30):
                while tables.rows(STATES) != [(len(NAMES),)]:  # noqa: ASYNC110 - the workers make them
                    await anyio.sleep(0.2)
            for name in NAMES:
                said = await world.payments_typed(name, "arm")
                assert said.startswith("armed: payments are sent from the next lap on"), "its worker executed it"
            owed = [row for name in NAMES for row in await world.owe(name, 2)]
            await world.until_paid(owed)

            held = world.holders()
            for worker, invoice in (("one", 1_000_001), ("two", 1_000_002)):
                assert await world.told(worker, "acme", invoice) == "204", f"served by {held['acme']}"
                await world.until_applied("acme", invoice)
                shown = json.loads((await fleet.asked("/healthz", f"{worker}/watch")).partition("\r\n\r\n")[2])
                assert shown["companies"] == held
                page = await fleet.asked("/", f"{worker}/watch")
                assert all(f'<th scope="row">{name}</th><td>{held[name]}</td>' in plain(page) for name in NAMES), page

            lost = world.of("two")
            owed += [row for name in NAMES for row in await world.owe(name, 3)]
            two.kill()
            assert await world.until_served_by("one") < LEASE + 5, lost
            await world.until_paid(owed)

            async with fleet.running("three") as three:
                await world.until_served_by("one", "three")
                one.send_signal(signal.SIGSTOP)
                owed += [row for name in NAMES for row in await world.owe(name, 3)]
                await world.until_served_by("three")
                await world.until_paid(owed)
                one.send_signal(signal.SIGCONT)
                await world.until_served_by("one", "three")

                [moved, *_] = world.of("one")
                assert "moves to three" in await world.fleet_typed("move", moved, "three")
                with anyio.fail_after(30):
                    while moved not in world.of("three"):  # noqa: ASYNC110
                        await anyio.sleep(0.2)
                said = await world.payments_typed("coal", "disarm")
                assert said.startswith("Payments are disarmed"), "its worker did"
                held = await world.owe("coal", 1)
                assert "hands back" in await world.fleet_typed("drain", "three")
                await world.until_served_by("one")
                shown = json.loads(await world.fleet_typed("status", "--json"))
                assert {each["company"]: each["worker"] for each in shown["holders"]} == dict.fromkeys(NAMES, "one")
                assert [(each["name"], each["draining"]) for each in shown["workers"]] == [
                    ("one", False),
                    ("three", True),
                ]
                three.terminate()
                await finish(three)
            one.terminate()
            done = await finish(one)
        assert (done.code, done.stderr) == (0, "")
        assert done.only("lease_expired"), "it knew by itself that it had slept for too long"

        said = await world.payments_typed("acme", "disarm")
        assert said.startswith("Payments are disarmed"), "nobody serves it: done by the one who wants it"
        assert "belongs to a fleet, as the company bolt" in await world.alone("bolt", "--once", code=7)
        assert "has bolt no more" in await world.fleet_typed("forget", "bolt")
        assert (await world.payments_typed("bolt", "disarm")).startswith("Payments are disarmed"), (
            "by who holds its lock now"
        )
        assert [payments(row) for row in owed] == [[10_000]] * len(owed)
        assert [payments(row) for row in held] == [[]]
