"""The business_central ledger: lines of a journal, each once, and nothing that the API cannot say is guessed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from precoro_daemon.errors import (
    ConfigurationError,
    DoubtfulError,
    LedgerMisfit,
    PermanentError,
    TemporaryError,
)
from precoro_daemon.payments.ports.ledger import Capabilities, Entry, Ledger
from precoro_daemon.payments.rules.receipts import Receipt
from precoro_daemon.payments.rules.states import State
from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.accounting import drop, reply
from tests.contracts.ledgers.books import entry, permitted
from tests.contracts.ledgers.business_central import JOURNAL, VENDOR, BusinessCentral, central_at
from tests.payments.books import DAY
from tests.payments.scene import Scene, scene
from tests.payments.world import HOUR

pytestmark = pytest.mark.asyncio

KEY = entry().key


@dataclass
class Stage:
    system: BusinessCentral
    ledger: Ledger
    bill: str

    def entry(self, amount: str = "12.50", **changed: object) -> Entry:
        return entry(amount=amount, **({"invoice_external_id": self.bill} | changed))


@asynccontextmanager
async def central(directory: Path, more: str = "", **invoice: Any) -> AsyncIterator[Stage]:
    system = BusinessCentral()
    bill = system.invoice(**invoice)
    async with serving(system.serve) as origin, central_at(origin, directory, more) as ledger:
        yield Stage(system, ledger, bill)


async def test_a_payment_becomes_a_line_that_says_which_invoice_it_pays(tmp_path: Path):
    async with central(tmp_path) as stage:
        receipt = await stage.ledger.create(stage.entry(), permitted)
        [line] = stage.system.lines
        assert receipt == Receipt(line["id"], Decimal("12.50"), None, date(2026, 1, 31), stage.bill)
        assert (line["vendorId"], line["appliesToInvoiceId"], line["journalId"]) == (VENDOR, stage.bill, JOURNAL)
        assert line["description"] == "Precoro INV-2026/7 'ü'"
        assert await stage.ledger.find(KEY) == receipt


async def test_what_the_api_cannot_say_is_not_promised(tmp_path: Path):
    async with central(tmp_path) as stage:
        assert stage.ledger.capabilities == Capabilities(reads=False, create="plain", lookup="key", bills=False)
        await stage.ledger.create(stage.entry(), permitted)
        stage.system.post()
        assert await stage.ledger.find(KEY) is None


@pytest.mark.parametrize(
    ("invoice", "payment", "said"),
    [
        ({"status": "Paid"}, {}, "901 is Paid"),
        ({"status": "Draft"}, {}, "901 is Draft"),
        ({"currency": "USD"}, {"currency": "USD"}, "a journal line has no currency"),
        ({}, {"currency": "USD"}, "the payment is in USD, the invoice in EUR, the company in EUR"),
        ({}, {"amount": "1000.01"}, "not between nothing and the 1000"),
        ({}, {"amount": "0"}, "not between nothing"),
        ({}, {"invoice_external_id": "901"}, "no purchase invoice whose id is '901'"),
        ({}, {"invoice_external_id": ""}, "no purchase invoice"),
        ({}, {"invoice_external_id": "00000000-0000-0000-0000-000000000001"}, "no purchase invoice"),
    ],
)
async def test_what_does_not_fit_is_refused_before_anything_is_written(
    tmp_path: Path, invoice: dict[str, str], payment: dict[str, str], said: str
):
    async with central(tmp_path, **invoice) as stage:
        with pytest.raises(PermanentError, match=said):
            await stage.ledger.create(stage.entry(**payment), permitted)
        assert stage.system.lines == []


async def test_two_invoices_of_one_number_are_not_paid(tmp_path: Path):
    async with central(tmp_path, 'bill_name = "number"', number="O'Brien 7") as stage:
        assert (
            await stage.ledger.create(stage.entry(invoice_external_id="O'Brien 7"), permitted)
        ).invoice == "O'Brien 7"
        stage.system.invoice(number="O'Brien 7")
        with pytest.raises(PermanentError, match="2 purchase invoices whose number"):
            await stage.ledger.create(stage.entry(invoice_external_id="O'Brien 7"), permitted)


async def test_a_lost_answer_is_found_by_its_key_on_any_page(tmp_path: Path):
    async with central(tmp_path) as stage:
        stage.system.mishap = drop
        with pytest.raises(DoubtfulError):
            await stage.ledger.create(stage.entry(), permitted)
        for number in range(4):
            await stage.ledger.create(stage.entry(key=f"key-{number}"), permitted)
        found = await stage.ledger.find(KEY)
        assert found is not None
        assert found.key == stage.system.lines[0]["id"]


async def test_the_journal_is_found_among_many_and_a_missing_one_blocks(tmp_path: Path):
    async with central(tmp_path) as stage:
        stage.system.journals = ("A", "B", "C", "D", "E", "PAYMENTS")
        with pytest.raises(LedgerMisfit, match="no vendor payment journal PAYMENT"):
            await stage.ledger.create(stage.entry(), permitted)
        stage.system.journals = ("A", "B", "C", "D", "E", "PAYMENT")
        await stage.ledger.create(stage.entry(), permitted)


async def test_every_page_is_read_and_a_link_elsewhere_is_not_followed(tmp_path: Path):
    async with central(tmp_path, 'bill_name = "number"') as stage:
        for _ in range(4):
            stage.system.invoice(number="901")
        with pytest.raises(PermanentError, match="5 purchase invoices"):
            await stage.ledger.create(stage.entry(invoice_external_id="901"), permitted)
        stage.system.refuse = reply({"value": [], "@odata.nextLink": "http://elsewhere.example.com/x"})
        with pytest.raises(LedgerMisfit, match="no address at"):
            await stage.ledger.find(KEY)


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (400, PermanentError, "said the vendor"),
        (403, LedgerMisfit, "said the vendor"),
        (401, TemporaryError, "said the vendor"),
        (500, DoubtfulError, "said the vendor"),
    ],
)
async def test_what_business_central_says_of_a_line(tmp_path: Path, status: int, kind: type[Exception], said: str):
    async with central(tmp_path) as stage:

        async def refuse(_: web.BaseRequest) -> web.StreamResponse:
            stage.system.lines.clear()
            return stage.system.error(status, "Code", "said the vendor.")

        stage.system.mishap = refuse
        with pytest.raises(kind, match=said):
            await stage.ledger.create(stage.entry(), permitted)


@pytest.mark.parametrize("answer", [{}, [], {"id": "00000000-0000-0000-0000-000000000000", "amount": 1}])
async def test_a_line_without_an_id_is_a_doubt(tmp_path: Path, answer: object):
    async with central(tmp_path) as stage:

        async def odd(_: web.BaseRequest) -> web.StreamResponse:
            return reply(answer, 201)

        stage.system.mishap = odd
        with pytest.raises(DoubtfulError, match="cannot be read"):
            await stage.ledger.create(stage.entry(), permitted)


async def test_rights_and_journal_are_found_out_without_writing(tmp_path: Path):
    async with central(tmp_path) as stage:
        assert [probe.fault for probe in await stage.ledger.probe()] == ["", "", ""]
        stage.system.journals = ()
        faults = [probe.what for probe in await stage.ledger.probe() if probe.fault]
        assert faults == ["there is a vendor payment journal PAYMENT"]
        assert stage.system.lines == []


async def test_invoices_must_be_named_by_their_external_id(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="external_id"):
        async with central(tmp_path, '[mark_invoices_paid]\nmatch_by = "idn"'):
            pass


async def exported(stage: Stage, times: int = 3) -> Scene:
    company = scene(ledger=stage.ledger, match_by="external_id")
    await company.export()
    company.bank.clock.time += 10
    invoice = company.invoice(100_000, external_id=stage.bill)
    company.bank.person_pays(invoice, 40_000, DAY.isoformat())
    for _ in range(times):
        await company.export(after=HOUR)
    return company


async def test_a_payment_made_in_precoro_is_one_line_also_where_the_answer_was_lost(tmp_path: Path):
    async with central(tmp_path) as stage:
        stage.system.mishap = drop
        company = await exported(stage)
        assert company.intent.state is State.CONFIRMED
        assert [(line["amount"], line["postingDate"]) for line in stage.system.lines] == [(400, DAY.isoformat())]


async def test_a_lost_answer_whose_line_was_posted_meanwhile_asks_a_person(tmp_path: Path):
    async with central(tmp_path) as stage:

        async def posted(request: web.BaseRequest) -> web.StreamResponse:
            stage.system.post()
            return await drop(request)

        stage.system.mishap = posted
        company = await exported(stage, times=30)
        assert company.intent.state is State.REVIEW
        assert (stage.system.lines, len(stage.system.posted)) == ([], 1)
