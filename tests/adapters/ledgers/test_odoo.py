"""The odoo ledger against an Odoo that keeps its state: what settles a bill, what is posted, what errors mean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import web

from precoro_daemon.errors import (
    DaemonError,
    DoubtfulError,
    LedgerMisfit,
    LoginNeeded,
    PermanentError,
    TemporaryError,
)
from precoro_daemon.payments.ports.ledger import Ledger
from precoro_daemon.payments.rules.receipts import Bill, Receipt
from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.books import entry, permitted, read_all
from tests.contracts.ledgers.odoo_books import SECTION, odoo_at
from tests.contracts.ledgers.odoo_database import OdooDatabase, Refusal
from tests.contracts.ledgers.odoo_server import OdooServer, drop

pytestmark = pytest.mark.asyncio

KEY = entry().key
VERSIONS = [16, 17, 18, 19]
PAYING = "account.payment.register.action_create_payments"


@dataclass
class Stage:
    server: OdooServer
    ledger: Ledger

    @property
    def database(self) -> OdooDatabase:
        return self.server.database

    async def read(self, position: str | None = None) -> dict[str, str]:
        """What Odoo says of all that settles its bills."""
        return {
            one.key: f"{one.amount:.2f} {one.currency}" for one in (await read_all(self.ledger, position)).payments
        }

    async def undone(self) -> dict[str, list[str]]:
        async with self.ledger.recorded(None) as batches:
            return {one.key: list(one.kept) async for batch in batches for one in batch.undone}


@asynccontextmanager
async def odoo(
    directory: Path, version: int = 18, section: str = SECTION, more: str = "", *, entries: bool = True
) -> AsyncIterator[Stage]:
    server = OdooServer(OdooDatabase(version, entries))
    server.database.bill("1000.00", number=901)
    async with serving(server.serve) as origin, odoo_at(origin, directory, section, more) as ledger:
        yield Stage(server, ledger)


@pytest.mark.parametrize("version", VERSIONS)
async def test_payments_and_bank_lines_settle_a_bill_and_nothing_else_does(tmp_path: Path, version: int):
    async with odoo(tmp_path, version) as stage:
        books = stage.database
        payment = books.pay(901, "100.10", day="2026-01-15")
        line = books.bank_line(901, "200.20", day="2026-01-16")
        books.settle(901, "50", kind="in_refund")
        books.settle(901, "25", journal=11)
        books.bill("10")
        books.bill("10", move_type="in_refund")
        read = await read_all(stage.ledger)
        assert {one.key: (one.invoice, str(one.amount.normalize()), one.paid_on.day) for one in read.payments} == {
            f"901/payment-{payment}": ("901", "100.1", 15),
            f"901/entry-{line}": ("901", "200.2", 16),
        }
        assert {(one.supplier_id, one.supplier, one.ours) for one in read.payments} == {("9", None, None)}
        assert read.unreadable == []


async def test_one_payment_of_two_bills_is_one_of_each(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        first, second = stage.database.bill("300"), stage.database.bill("200")
        number = stage.database.pay([first, second], "500")
        part = f"payment-{number}"
        assert await stage.read() == {f"{first}/{part}": "300.00 EUR", f"{second}/{part}": "200.00 EUR"}


async def test_the_amount_is_in_the_currency_of_the_bill(tmp_path: Path):
    """Paid with 800 EUR from a bank account in EUR."""
    async with odoo(tmp_path) as stage:
        bill = stage.database.bill("1000", "USD")
        number = stage.database.pay(bill, "800", currency="EUR")
        assert await stage.read() == {f"{bill}/payment-{number}": "1000.00 USD"}


async def test_instalments_that_one_payment_pays_are_one_payment(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        bill = stage.database.bill("90", instalments=3)
        number = stage.database.pay(bill, "70")
        assert len(stage.database.partials) == 3
        assert await stage.read() == {f"{bill}/payment-{number}": "70.00 EUR"}


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_a_bookkeeper_undoes_is_absent_and_comes_back_under_the_same_key(tmp_path: Path, version: int):
    async with odoo(tmp_path, version) as stage:
        books = stage.database
        payment, line = books.pay(901, "100"), books.bank_line(901, "200")
        first = await read_all(stage.ledger)
        assert len(first.payments) == 2
        books.unreconcile(901)
        assert (await read_all(stage.ledger, first.position)).payments == []
        assert await stage.undone() == {"901": []}
        books.edit_payment(payment, Decimal(150))
        assert await stage.read(first.position) == {f"901/payment-{payment}": "150.00 EUR"}
        assert await stage.undone() == {"901": [f"901/payment-{payment}"]}
        assert line in books.moves
        books.set_to_draft(901, "cancel")
        assert await stage.undone() == {"901": []}


async def test_what_is_reconciled_later_is_found_though_the_payment_does_not_move(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        books = stage.database
        other = books.bill("700")
        payment = books.pay(other, "700")
        books.unreconcile(other)
        position = (await read_all(stage.ledger)).position
        written = books.payments[payment]["write_date"]
        lines = [
            number for number, line in books.lines.items() if line["move_id"] == books.payments[payment]["move_id"]
        ]
        books.reconcile(lines[0], 901, Decimal(700))
        books._recompute(901)
        assert books.payments[payment]["write_date"] == written
        assert (await stage.read(position))[f"901/payment-{payment}"] == "700.00 EUR"


async def test_a_lap_with_nothing_new_asks_once(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        stage.database.pay(901, "100")
        position = (await read_all(stage.ledger)).position
        position = (await read_all(stage.ledger, position)).position
        stage.server.requests.clear()
        assert await stage.read(position) == {}
        assert stage.server.requests == ["account.move.search_read"]


async def test_a_change_that_shows_late_is_read(tmp_path: Path):
    """Its transaction began before that of the newest change, and ended after it."""
    async with odoo(tmp_path) as stage:
        books = stage.database
        late = books.bill("50")
        books.pay(901, "100")
        position = (await read_all(stage.ledger)).position
        position = (await read_all(stage.ledger, position)).position
        assert position is not None
        number = books.pay(late, "50")
        began = datetime.fromisoformat(f"{position}+00:00") - timedelta(minutes=9)
        books.moves[late]["write_date"] = began
        assert await stage.read(position) == {f"{late}/payment-{number}": "50.00 EUR"}


async def test_bills_that_move_between_pages_are_not_lost(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        books = stage.database
        bills = [books.bill("10") for _ in range(1200)]
        for bill in bills:
            books.bank_line(bill, "1")
        found: set[str] = set()
        async with stage.ledger.recorded(None) as batches:
            async for batch in batches:
                found |= {one.key.partition("/")[0] for one in batch.payments}
                if len(stage.server.requests) < 9:
                    books.bank_line(bills[0], "1")
        assert found == {str(bill) for bill in bills}
        assert stage.server.requests.count("account.move.search_read") >= 3


async def test_more_bills_of_one_moment_than_a_page_holds_are_all_read(tmp_path: Path):
    """As after an import: they lie inside the overlap, before the position."""
    async with odoo(tmp_path) as stage:
        books = stage.database
        bills = [books.bill("10") for _ in range(700)]
        for bill in bills:
            books.bank_line(bill, "1")
        position = books.tick()
        for bill in bills:
            books.moves[bill]["write_date"] = position - timedelta(minutes=5)
        found = await stage.read(f"{position:%Y-%m-%d %H:%M:%S}")
        assert {key.partition("/")[0] for key in found} == {str(bill) for bill in bills}


async def test_a_line_that_may_not_be_read_is_said_and_not_taken_for_undone(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        stage.database.pay(901, "100")
        [partial] = stage.database.partials.values()
        stage.server.hidden.add(partial["debit_move_id"])
        read = await read_all(stage.ledger)
        [bad] = read.unreadable
        assert (read.payments, bad.key) == ([], f"901/line-{partial['debit_move_id']}")
        assert "may not read" in bad.reason
        assert await stage.undone() == {"901": [bad.key]}


async def test_a_payment_without_an_entry_counts_and_its_bank_line_is_the_same_payment(tmp_path: Path):
    async with odoo(tmp_path, entries=False) as stage:
        number = stage.database.pay(901, "400")
        said = {f"901/payment-{number}": "400.00 EUR"}
        assert stage.database.moves[901]["payment_state"] == "in_payment"
        assert await stage.read() == said
        assert await stage.ledger.bill(entry()) == Bill("901", Decimal(600), "EUR")
        stage.database.bank_line(901, "400")
        assert await stage.read() == said
        assert await stage.ledger.bill(entry()) == Bill("901", Decimal(600), "EUR")
        other = stage.database.bank_line(901, "100")
        assert await stage.read() == {**said, f"901/entry-{other}": "100.00 EUR"}


async def test_a_payment_of_two_bills_without_an_entry_waits_for_its_bank_line(tmp_path: Path):
    async with odoo(tmp_path, entries=False) as stage:
        other = stage.database.bill("200")
        stage.database.pay([901, other], "1200")
        read = await read_all(stage.ledger)
        assert read.payments == []
        assert [one.reason for one in read.unreadable if "of 2 bills has no entry" in one.reason]
        bill = await stage.ledger.bill(entry())
        assert bill is not None
        assert "cannot be known" in bill.closed
        first, second = stage.database.bank_line(901, "1000"), stage.database.bank_line(other, "200")
        assert await stage.read() == {f"901/entry-{first}": "1000.00 EUR", f"{other}/entry-{second}": "200.00 EUR"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("entries", [True, False])
async def test_a_payment_is_posted_as_it_was_meant_and_read_back(tmp_path: Path, version: int, *, entries: bool):
    async with odoo(tmp_path, version, entries=entries) as stage:
        receipt = await stage.ledger.create(entry(amount="400.40"), permitted)
        [payment] = stage.database.payments.values()
        assert receipt == Receipt(f"901/payment-{payment['id']}", Decimal("400.40"), "EUR", date(2026, 1, 31), "901")
        assert (payment["journal_id"], payment["currency_id"]) == (7, 1)
        [wizard] = stage.database.wizards.values()
        assert wizard["given"] >= {"amount", "currency_id", "journal_id", "payment_date", "communication"}
        assert payment["memo"] == f"INV-2026/7 'ü' Precoro {KEY}"
        [read] = (await read_all(stage.ledger)).payments
        assert (read.key, read.ours) == (receipt.key, KEY)
        assert await stage.ledger.find(KEY) == receipt


async def test_the_amount_of_a_bill_in_instalments_is_the_one_that_was_sent(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        bill = stage.database.bill("90", instalments=3)
        receipt = await stage.ledger.create(entry(amount="45", invoice_external_id=str(bill)), permitted)
        assert (receipt.amount, stage.database.residual(bill)) == (Decimal(45), Decimal(45))


async def test_each_currency_has_a_journal_of_its_own(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        bill = stage.database.bill("1000", "USD")
        receipt = await stage.ledger.create(
            entry(amount="1000", currency="USD", invoice_external_id=str(bill)), permitted
        )
        [payment] = stage.database.payments.values()
        assert (payment["journal_id"], payment["currency_id"], receipt.currency) == (9, 2, "USD")


async def test_the_payment_method_is_that_of_the_journal_by_its_code(tmp_path: Path):
    async with odoo(tmp_path, section=SECTION + 'payment_method = "sepa_ct"\n') as stage:
        await stage.ledger.create(entry(), permitted)
        [wizard] = stage.database.wizards.values()
        assert wizard["payment_method_line_id"] == 3
        faults = {probe.what: probe.fault for probe in await stage.ledger.probe() if probe.fault}
        assert list(faults) == ["journal BNKUS pays in USD"]
        assert "has no outgoing payment method sepa_ct" in faults["journal BNKUS pays in USD"]


async def test_a_journal_in_another_currency_blocks_before_anything_is_written(tmp_path: Path):
    async with odoo(tmp_path, section=SECTION.replace('"BNKUS"', "7").replace("EUR = 7", "EUR = 9")) as stage:
        bill = stage.database.bill("1000", "USD")
        with pytest.raises(LedgerMisfit, match="is in EUR, and journals names it for USD"):
            await stage.ledger.create(entry(amount="1000", currency="USD", invoice_external_id=str(bill)), permitted)
        assert (stage.database.wizards, stage.database.payments) == ({}, {})


async def test_what_does_not_fit_the_bill_is_refused_before_anything_is_written(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        books = stage.database
        euros = books.bill("5", "EURO")
        draft, credit = books.bill("5", state="draft"), books.bill("5", move_type="in_refund")
        wrong = {
            "Odoo has no bill whose id is '77'": entry(invoice_external_id="77"),
            "a whole number is wanted": entry(invoice_external_id="INV-1"),
            "does not say what Odoo calls": entry(invoice_external_id=""),
            "it is a draft in Odoo": entry(invoice_external_id=str(draft)),
            "is no vendor bill": entry(invoice_external_id=str(credit)),
            "is in EUR, the payment in USD": entry(currency="USD"),
            "no journal pays in EURO": entry(currency="EURO", invoice_external_id=str(euros)),
            "is nothing that can be paid": entry(amount="-1"),
            "Odoo would not post what was sent: amount 12.34 instead of 12.345": entry(amount="12.345"),
        }
        for said, payment in wrong.items():
            with pytest.raises(PermanentError, match=said):
                await stage.ledger.create(payment, permitted)
        assert books.payments == {}
        assert PAYING not in stage.server.requests


async def test_a_paid_bill_is_refused_in_the_words_of_odoo_and_without_its_traceback(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        stage.database.pay(901, "1000")
        with pytest.raises(
            PermanentError, match="there is nothing left to pay on the selected journal items"
        ) as caught:
            await stage.ledger.create(entry(), permitted)
        assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("version", [18, 19])
@pytest.mark.parametrize(
    ("name", "said", "kind"),
    [
        ("odoo.exceptions.AccessError", "You are not allowed to create payments", LedgerMisfit),
        ("odoo.exceptions.UserError", "The bank account is not trusted", PermanentError),
        ("odoo.exceptions.ValidationError", "The date is in a locked period", PermanentError),
    ],
)
async def test_what_odoo_says_of_a_payment(
    tmp_path: Path, version: int, name: str, said: str, kind: type[DaemonError]
):
    async with odoo(tmp_path, version) as stage:
        stage.server.failure["action_create_payments"] = Refusal(name, said)
        with pytest.raises(kind, match=said):
            await stage.ledger.create(entry(), permitted)


@pytest.mark.parametrize(
    ("name", "said", "kind"),
    [
        ("odoo.exceptions.AccessDenied", "Access Denied", LoginNeeded),
        ("odoo.http.SessionExpiredException", "Session expired", TemporaryError),
        ("psycopg2.errors.SerializationFailure", "could not serialize access", TemporaryError),
        ("psycopg2.errors.LockNotAvailable", "could not obtain lock", TemporaryError),
        ("psycopg2.OperationalError", "server closed the connection unexpectedly", DoubtfulError),
        ("builtins.TypeError", "a module of the company is wrong", TemporaryError),
    ],
)
async def test_what_is_no_word_on_this_payment_never_rejects_it(
    tmp_path: Path, name: str, said: str, kind: type[DaemonError]
):
    async with odoo(tmp_path) as stage:
        stage.server.failure["action_create_payments"] = Refusal(name, said)
        with pytest.raises(kind, match=said) as caught:
            await stage.ledger.create(entry(), permitted)
        assert type(caught.value) is kind


async def test_a_question_that_fails_is_asked_again_or_blocks(tmp_path: Path):
    kinds = {
        "psycopg2.OperationalError": TemporaryError,
        "odoo.exceptions.AccessError": LedgerMisfit,
        "builtins.ValueError": LedgerMisfit,
    }
    async with odoo(tmp_path) as stage:
        for name, kind in kinds.items():
            stage.server.failure["search_read"] = Refusal(name, "said so")
            with pytest.raises(kind, match="said so"):
                await read_all(stage.ledger)
        assert await stage.read() == {}


async def test_a_lost_answer_is_found_by_our_key_and_never_by_its_amount(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        stage.database.pay(901, "12.50", memo="INV-2026/7")
        stage.server.mishap = drop
        with pytest.raises(DoubtfulError):
            await stage.ledger.create(entry(), permitted)
        receipt = await stage.ledger.find(KEY)
        ours = max(stage.database.payments)
        assert receipt is not None
        assert receipt.key == f"901/payment-{ours}"
        stage.database.payments[ours]["memo"] = f"paid by Ana, Precoro {KEY}, thanks"
        assert await stage.ledger.find(KEY) == receipt
        stage.database.payments[ours]["memo"] = f"Precoro {KEY}0"
        assert await stage.ledger.find(KEY) is None


async def test_a_payment_of_ours_that_was_taken_apart_says_so(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        receipt = await stage.ledger.create(entry(), permitted)
        stage.database.unreconcile(901)
        apart = await stage.ledger.find(KEY)
        assert apart == Receipt(receipt.key, Decimal("12.50"), "EUR", date(2026, 1, 31), "none")
        stage.database.cancel_payment(max(stage.database.payments))
        cancelled = await stage.ledger.find(KEY)
        assert cancelled is not None
        assert cancelled.amount == 0


@pytest.mark.parametrize("version", [18, 19])
@pytest.mark.parametrize("how", ["unreconcile", "set_to_draft", "cancel_payment"])
async def test_ours_that_was_undone_before_anybody_read_it_is_read_as_nothing(tmp_path: Path, version: int, how: str):
    async with odoo(tmp_path, version) as stage:
        receipt = await stage.ledger.create(entry(), permitted)
        getattr(stage.database, how)(max(stage.database.payments) if how == "cancel_payment" else 901)
        [read] = (await read_all(stage.ledger)).payments
        assert (read.key, read.amount, read.ours) == (receipt.key, 0, KEY)


async def test_two_payments_under_one_key_are_said(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        for _ in range(2):
            stage.database.pay(901, "1", memo=f"Precoro {KEY}")
        with pytest.raises(PermanentError, match="2 payments under the key"):
            await stage.ledger.find(KEY)


async def test_bills_by_the_suppliers_number(tmp_path: Path):
    section = SECTION + 'bill_name = "ref"\n'
    more = '[mark_invoices_paid]\nmatch_by = "number_and_supplier"\n'
    async with odoo(tmp_path, section=section, more=more) as stage:
        number = stage.database.bill("10", ref="A-1")
        stage.database.bank_line(number, "4")
        assert await stage.ledger.bill(entry(invoice_number="A-1")) == Bill(str(number), Decimal(6), "EUR")
        assert await stage.ledger.bill(entry(invoice_number="A-2")) is None
        [read] = (await read_all(stage.ledger)).payments
        assert (read.invoice, read.supplier) == ("A-1", "commercial_partner_id 9")
        stage.database.bill("10", ref="A-1")
        bill = await stage.ledger.bill(entry(invoice_number="A-1"))
        assert bill is not None
        assert "Odoo has 2 bills whose ref is 'A-1'" in bill.closed
        with pytest.raises(PermanentError, match="Odoo has 2 bills"):
            await stage.ledger.create(entry(invoice_number="A-1"), permitted)


async def test_what_is_no_name_of_a_bill_has_none(tmp_path: Path):
    async with odoo(tmp_path) as stage:
        for name in ("", "INV-1", "77", "\u0663"):
            assert await stage.ledger.bill(entry(invoice_external_id=name)) is None


async def test_one_company_of_several(tmp_path: Path):
    async with odoo(tmp_path, section=SECTION + "company = 1\n") as stage:
        other = stage.database.bill("10", "USD", company=2)
        stage.database.bank_line(other, "4")
        assert await stage.read() == {}
        async with odoo_at_again(stage, tmp_path, SECTION.replace("EUR = 7", "EUR = 13")) as ledger:
            with pytest.raises(LedgerMisfit, match="is in USD"):
                await ledger.create(entry(), permitted)


@asynccontextmanager
async def odoo_at_again(stage: Stage, directory: Path, section: str) -> AsyncIterator[Ledger]:
    async with serving(stage.server.serve) as origin, odoo_at(origin, directory, section) as ledger:
        yield ledger


@pytest.mark.parametrize("version", VERSIONS)
async def test_rights_and_journals_are_found_out_without_writing(tmp_path: Path, version: int):
    async with odoo(tmp_path, version) as stage:
        found = await stage.ledger.probe()
        assert [probe.fault for probe in found] == [""] * 8
        stage.server.denied = {("create", "account.payment")}
        del stage.database.journals[9]
        faults = {probe.what: probe.fault for probe in await stage.ledger.probe() if probe.fault}
        assert list(faults) == ["may create account.payment", "journal BNKUS pays in USD"]
        assert "no bank or cash journal BNKUS" in faults["journal BNKUS pays in USD"]
        assert stage.database.payments == {}


async def test_a_login_is_looked_up_once_and_a_wrong_one_is_said(tmp_path: Path):
    async with odoo(tmp_path, section=SECTION.replace("user = 2", 'user = "ana"')) as stage:
        await stage.read()
        await stage.read()
        assert stage.server.requests.count("authenticate") == 1
    async with odoo(tmp_path, section=SECTION.replace("user = 2", 'user = "bob"')) as stage:
        with pytest.raises(LoginNeeded, match="does not know the user bob"):
            await stage.read()


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (SECTION.replace("company", "other"), "check database"),
        (SECTION.replace("user = 2", "user = 3"), "Access Denied"),
    ],
)
async def test_what_does_not_fit_the_database_blocks_the_ledger(tmp_path: Path, section: str, said: str):
    async with odoo(tmp_path, section=section) as stage:
        for ask in (stage.ledger.find(KEY), read_all(stage.ledger), stage.ledger.create(entry(), permitted)):
            with pytest.raises(LedgerMisfit, match=said):
                await ask


async def test_a_key_that_odoo_19_refuses_blocks_nothing_for_good(tmp_path: Path):
    async with odoo(tmp_path, 19) as stage:
        stage.server.key = "another"
        with pytest.raises(TemporaryError, match="the token is wrong"):
            await stage.read()


async def test_odoo_19_is_spoken_to_in_json_2_and_older_ones_in_json_rpc(tmp_path: Path):
    for version, section in (
        (19, SECTION),
        (19, SECTION + 'protocol = "json-rpc"\n'),
        (19, SECTION + 'protocol = "json-2"\n'),
    ):
        async with odoo(tmp_path, version, section) as stage:
            receipt = await stage.ledger.create(entry(), permitted)
            assert receipt.amount == Decimal("12.50")


@pytest.mark.parametrize("answer", [{"result": "hello"}, {"result": {"server_version_info": []}}])
async def test_what_is_no_odoo_is_said(tmp_path: Path, answer: object):
    async def handler(_: web.BaseRequest) -> web.Response:
        return web.json_response(answer)

    async with serving(handler) as origin, odoo_at(origin, tmp_path) as ledger:
        with pytest.raises(LedgerMisfit, match="which version of Odoo"):
            await read_all(ledger)


async def test_a_payment_whose_answer_has_no_number_is_a_doubt(tmp_path: Path):
    async def numberless(_: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"jsonrpc": "2.0", "id": 1, "result": True})

    async with odoo(tmp_path) as stage:
        stage.server.mishap = numberless
        with pytest.raises(DoubtfulError, match="under which number"):
            await stage.ledger.create(entry(), permitted)
        assert await stage.ledger.find(KEY) is not None
