"""Odoo and Precoro in step: each story from what people do on either side to the journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from precoro_daemon.errors import LedgerMisfit
from precoro_daemon.payments.rules.states import State
from precoro_daemon.sandbox.rows import Row
from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.odoo_books import SECTION, odoo_at
from tests.contracts.ledgers.odoo_database import OdooDatabase, Refusal
from tests.contracts.ledgers.odoo_server import OdooServer, drop
from tests.payments.books import DAY
from tests.payments.scene import Scene, payments, scene
from tests.payments.world import HOUR

pytestmark = pytest.mark.asyncio


@dataclass
class Company:
    """One invoice of 1,000.00 that is a bill in Odoo too."""

    stage: Scene
    server: OdooServer
    invoice: Row
    bill: int

    @property
    def database(self) -> OdooDatabase:
        return self.server.database

    async def laps(self, times: int = 3) -> None:
        for _ in range(times):
            await self.stage.lap(after=HOUR)
            await self.stage.export(after=HOUR)

    def pay_in_precoro(self, cents: int = 40_000) -> None:
        self.stage.bank.person_pays(self.invoice, cents, DAY.isoformat())

    @property
    def posted(self) -> list[str]:
        return [f"{one['amount']} of {one['date']}" for one in self.database.payments.values()]


@asynccontextmanager
async def company(directory: Path, section: str = SECTION, **facts: Any) -> AsyncIterator[Company]:
    server = OdooServer()
    bill = server.database.bill("1000", facts.get("currency", "EUR"))
    async with serving(server.serve) as origin, odoo_at(origin, directory, section) as ledger:
        stage = scene(ledger=ledger, match_by="external_id")
        await stage.export()
        stage.bank.clock.time += 10
        invoice = stage.invoice(100_000, external_id=str(bill), **facts)
        yield Company(stage, server, invoice, bill)


async def test_a_payment_made_in_precoro_is_posted_once_and_known_when_it_comes_back(tmp_path: Path):
    async with company(tmp_path) as one:
        one.pay_in_precoro()
        await one.laps()
        assert one.posted == [f"400.00 of {DAY}"]
        assert (one.stage.intent.state, one.database.residual(one.bill)) == (State.CONFIRMED, 600)
        assert len(payments(one.invoice)) == 1


async def test_a_lost_answer_is_found_by_its_key(tmp_path: Path):
    async with company(tmp_path) as one:
        one.pay_in_precoro()
        one.server.mishap = drop
        await one.laps(1)
        await one.laps()
        assert one.posted == [f"400.00 of {DAY}"]
        assert one.stage.intent.state is State.CONFIRMED
        assert "lose" in str(one.stage.events).lower()


async def test_no_journal_pays_in_the_currency_of_the_bill(tmp_path: Path):
    async with company(tmp_path, SECTION.replace(', USD = "BNKUS"', ""), currency="USD") as one:
        one.pay_in_precoro()
        await one.laps()
        assert (one.posted, one.stage.intent.state) == ([], State.REJECTED)
        assert "no journal pays in USD" in str(one.stage.told)


async def test_a_journal_of_another_currency_blocks_and_rejects_nothing(tmp_path: Path):
    async with company(tmp_path, 'database = "company"\nuser = 2\njournals = { USD = 7 }\n', currency="USD") as one:
        one.pay_in_precoro()
        report = await one.stage.export(after=HOUR)
        assert isinstance(report.ended, LedgerMisfit)
        assert "is in EUR, and journals names it for USD" in str(report.ended)
        assert (one.posted, one.stage.intent.state) == ([], State.PLANNED)


async def test_a_bank_line_that_pays_a_part_is_recorded_at_precoro(tmp_path: Path):
    async with company(tmp_path) as one:
        one.database.bank_line(one.bill, "500", day=DAY.isoformat())
        await one.laps()
        assert payments(one.invoice) == [50_000]
        assert (one.stage.intent.state, one.posted) == (State.CONFIRMED, [])
        one.pay_in_precoro(50_000)
        await one.laps()
        assert sum(payments(one.invoice)) == 100_000


async def test_what_a_bookkeeper_undoes_after_it_reached_precoro_asks_a_person(tmp_path: Path):
    async with company(tmp_path) as one:
        one.database.pay(one.bill, "500", day=DAY)
        await one.laps(1)
        assert one.stage.intent.state is State.CONFIRMED
        one.database.unreconcile(one.bill)
        await one.laps(1)
        assert one.stage.intent.state is State.REVIEW
        assert "the ledger now says" in one.stage.told[-1][1]


@pytest.mark.parametrize("laps", [1, 2], ids=["before it was read", "after it was read"])
async def test_what_a_bookkeeper_undoes_of_ours_asks_a_person_and_is_not_made_anew(tmp_path: Path, laps: int):
    async with company(tmp_path) as one:
        one.pay_in_precoro()
        await one.laps(laps)
        one.database.set_to_draft(one.bill)
        await one.laps()
        assert one.posted == [f"400.00 of {DAY}"]
        assert one.stage.intent.state is State.REVIEW


async def test_a_right_that_is_missing_rejects_nothing_and_once_given_all_goes_on(tmp_path: Path):
    async with company(tmp_path) as one:
        one.pay_in_precoro()
        one.server.denied = {("create", "account.payment.register")}
        report = await one.stage.export(after=HOUR)
        assert isinstance(report.ended, LedgerMisfit)
        assert "not allowed to create 'Register Payment'" in str(report.ended)
        assert one.stage.intent.state is State.PLANNED
        one.server.denied = set()
        await one.laps()
        assert (one.stage.intent.state, one.posted) == (State.CONFIRMED, [f"400.00 of {DAY}"])


async def test_a_refusal_tells_the_words_of_odoo(tmp_path: Path):
    async with company(tmp_path) as one:
        one.pay_in_precoro()
        said = "You cannot post in a period that is locked."
        one.server.failure["action_create_payments"] = Refusal("odoo.exceptions.UserError", said)
        await one.laps()
        assert one.stage.intent.state is State.REJECTED
        assert said in str(one.stage.told)
        assert "Traceback" not in str(one.stage.told)
