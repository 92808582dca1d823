"""Companies of a fleet on a real PostgreSQL, the books of each, and what was paid in them."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import psycopg

from precoro_daemon.sandbox import Sandbox, schema
from precoro_daemon.sandbox import ledger as sandbox_ledger
from precoro_daemon.sandbox.rows import Row
from tests.adapters.state.postgresql.fleets import Tables
from tests.payments.scene import payments
from tests.system.companies import SECRETS, Companies
from tests.system.program import NO_LIMITS

SCALE = 60.0
"""A minute of the companies passes in a second; that of leases is a real one."""

STATES = "SELECT count(*) FROM pg_tables WHERE tablename = 'meta'"
HOLDERS = """SELECT c.name, w.name FROM precoro_fleet.companies c
LEFT JOIN precoro_fleet.workers w ON w.id = c.holder AND w.alive_until > clock_timestamp()"""


@dataclass
class World:
    """The companies, the books of each, and what was paid in them."""

    fleet: Companies
    sandboxes: dict[str, Sandbox]
    tables: Tables
    postgres: str
    """Where its database is reached: the directory of a socket, or host and port."""

    def found(self, **sections: dict[str, Any]) -> None:
        self.fleet.leased = True
        self.fleet.share(
            state={"url": f"postgresql://postgres@{self.postgres.replace('/', '%2F')}/{self.tables.name}"},
            limits=NO_LIMITS | {"time_scale": SCALE},
            mirror_collections={"collections": ["invoices", "payments", "suppliers"], "every": "3m"},
            mark_invoices_paid={"enabled": True, "match_by": "idn", "every": "3m"},
            log={"level": "warning"},
            **sections,
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

    def schema_of(self, name: str) -> str:
        [(schema,)] = self.tables.rows("SELECT schema FROM precoro_fleet.companies WHERE name = %s", name)
        return str(schema)

    async def until_applied(self, name: str, invoice: int) -> None:
        applied = f"SELECT 1 FROM {self.schema_of(name)}.deliveries WHERE id = {invoice} AND outcome > ''"
        with anyio.fail_after(60):
            while not self.tables.rows(applied):  # noqa: ASYNC110 - another process applies it
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
            while len(held := self.holders()) < len(self.sandboxes) or set(held.values()) != set(workers):  # noqa: ASYNC110
                await anyio.sleep(0.2)
        return time.monotonic() - began

    async def until_founded(self) -> None:
        """Each has a state."""
        with anyio.fail_after(30):
            while self.tables.rows(STATES) != [(len(self.sandboxes),)]:  # noqa: ASYNC110 - the workers make them
                await anyio.sleep(0.2)

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

    async def unanswered(self, name: str, word: str) -> None:
        """A command that no worker takes is withdrawn in time, and says so."""
        began = time.monotonic()
        said = await self.alone(name, "payments", word, code=1)
        assert "no worker of the fleet took the command within 15 seconds, so nothing was done" in said
        assert time.monotonic() - began < 30, "most of it is another process's start"

    async def payments_typed(self, name: str, word: str) -> str:
        return await self.alone(name, "payments", word)
