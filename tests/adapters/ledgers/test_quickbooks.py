"""The quickbooks ledger: what leaves, what each answer means, and what is read, deleted and voided ones too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from precoro_daemon.errors import DoubtfulError, LedgerMisfit, PermanentError, TemporaryError
from precoro_daemon.payments.ports.ledger import Ledger
from precoro_daemon.payments.rules.entries import short_key
from precoro_daemon.payments.rules.events import Terms
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch, Undone
from precoro_daemon.payments.rules.receipts import Bill, Receipt, difference
from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.accounting import drop, reply
from tests.contracts.ledgers.books import entry, permitted, read_all
from tests.contracts.ledgers.online import QUICKBOOKS, open_online
from tests.contracts.ledgers.quickbooks import QuickBooks, fault

pytestmark = pytest.mark.asyncio

KEY = entry().key


@asynccontextmanager
async def quickbooks(directory: Path, system: QuickBooks, config: str = QUICKBOOKS) -> AsyncIterator[Ledger]:
    async with serving(system.serve) as origin, open_online(origin, directory, config) as ledger:
        yield ledger


def owing(amount: str = "100.00", **facts: Any) -> QuickBooks:
    system = QuickBooks()
    system.bill("901", total=Decimal(amount), **facts)
    return system


async def batches_of(ledger: Ledger, position: str | None = None) -> list[LedgerBatch]:
    async with ledger.recorded(position) as batches:
        return [one async for one in batches]


async def test_what_leaves_names_bill_vendor_account_and_currency(tmp_path: Path):
    system = owing(payables="33")
    async with quickbooks(tmp_path, system) as ledger:
        receipt = await ledger.create(entry(), permitted)
    [made] = system.payments
    assert receipt == Receipt(f"{made}/901", Decimal("12.50"), "EUR", date(2026, 1, 31), "901")
    assert system.bodies == [
        {
            "VendorRef": {"value": "56"},
            "APAccountRef": {"value": "33"},
            "TxnDate": "2026-01-31",
            "TotalAmt": Decimal("12.50"),
            "CurrencyRef": {"value": "EUR"},
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": "35"}},
            "DocNumber": short_key(KEY),
            "PrivateNote": f"Precoro {KEY}",
            "Line": [{"Amount": Decimal("12.50"), "LinkedTxn": [{"TxnId": "901", "TxnType": "Bill"}]}],
        }
    ]
    assert f"requestid={KEY}" in system.requests[-1]


async def test_in_another_currency_the_rate_of_the_day_is_sent_and_cards_are_charged(tmp_path: Path):
    system = owing(currency="GBP")
    async with quickbooks(tmp_path, system) as ledger:
        receipt = await ledger.create(entry(currency="GBP"), permitted)
    [body] = system.bodies
    assert receipt.currency == "GBP"
    assert body["ExchangeRate"] == Decimal("0.92")
    assert (body["PayType"], body["CreditCardPayment"]) == ("CreditCard", {"CCAccountRef": {"value": "41"}})
    assert any("sourcecurrencycode=GBP&asofdate=2026-01-31" in request for request in system.requests)


async def test_without_a_rate_nothing_is_sent(tmp_path: Path):
    system = owing(currency="USD")
    system.refuse += [None, None, None, reply({"ExchangeRate": {"Rate": 0}})]
    async with quickbooks(tmp_path, system) as ledger:
        with pytest.raises(TemporaryError, match="no exchange rate of USD for 2026-01-31"):
            await ledger.create(entry(currency="USD"), permitted)
    assert system.bodies == []


async def test_a_payment_needs_the_currency_of_bill_and_account(tmp_path: Path):
    system = owing()
    system.bill("902", currency="CHF")
    system.bill("903", currency="USD")
    system.bill("904", currency="GBP")
    system.accounts["36"]["CurrencyRef"] = {"value": "EUR"}
    system.accounts["41"]["AccountType"] = "Expense"
    async with quickbooks(tmp_path, system) as ledger:
        for bill, currency, told in (
            ("901", "USD", "the bill is in EUR, the payment in USD"),
            ("902", "CHF", "no account pays in 'CHF'"),
            ("903", "USD", "account Bank USD is in EUR"),
            ("904", "GBP", "it is of type Expense"),
            ("999", "EUR", "it has no bill '999'"),
            ("x' or '1", "EUR", "it has no bill"),
        ):
            with pytest.raises(PermanentError, match=told):
                await ledger.create(entry(invoice_external_id=bill, currency=currency), permitted)
    assert system.bodies == []


async def test_what_quickbooks_refuses_is_told_in_its_words(tmp_path: Path):
    system = owing("10.00")
    async with quickbooks(tmp_path, system) as ledger:
        with pytest.raises(PermanentError, match="The amount is more than what is open on the bill"):
            await ledger.create(entry(amount="10.01"), permitted)
    assert system.payments == {}


@pytest.mark.parametrize(("code", "kind"), [("6190", LedgerMisfit), ("5020", LedgerMisfit), ("6000", PermanentError)])
async def test_a_subscription_that_ended_and_lacking_rights_reject_no_payment(tmp_path: Path, code: str, kind: type):
    system = owing()
    system.refuse += [None, None, None, fault("Invalid Company Status", "Subscription has ended", 400, code=code)]
    async with quickbooks(tmp_path, system) as ledger:
        with pytest.raises(kind, match="Subscription has ended"):
            await ledger.create(entry(), permitted)
        system.refuse.append(fault("Invalid Company Status", "Subscription has ended", 400, code=code))
        with pytest.raises(kind, match="Subscription has ended"):
            await ledger.bill(entry())


async def test_what_is_open_on_a_bill(tmp_path: Path):
    system = owing("100.00", currency="USD")
    system.pay("901", Decimal("30.50"), "2026-01-30", currency="USD")
    async with quickbooks(tmp_path, system) as ledger:
        assert await ledger.bill(entry()) == Bill("901", Decimal("69.50"), "USD")
        for unknown in ("999", "", "INV-7"):
            assert await ledger.bill(entry(invoice_external_id=unknown)) is None


async def test_a_bill_that_was_just_read_is_not_read_again_for_its_payment(tmp_path: Path):
    system = owing()
    async with quickbooks(tmp_path, system) as ledger:
        await ledger.create(entry(), permitted)
        system.requests.clear()
        await ledger.bill(entry())
        await ledger.create(entry(), permitted)
        assert [request.split("?")[0].rsplit("/", 1)[-1] for request in system.requests] == ["query", "billpayment"]


async def test_the_look_up_goes_by_the_number_whatever_became_of_the_memo(tmp_path: Path):
    system = owing()
    async with quickbooks(tmp_path, system) as ledger:
        assert await ledger.find(KEY) is None
        system.mishap = drop
        with pytest.raises(DoubtfulError):
            await ledger.create(entry(), permitted)
        [made] = system.payments
        system.change(made, note="Transfer 2026/118 approved by CFO")
        assert await ledger.find(KEY) == Receipt(f"{made}/901", Decimal("12.50"), "EUR", date(2026, 1, 31), "901")
        [read] = (await read_all(ledger)).payments
        assert read.ours == short_key(KEY)
        system.void(made)
        assert await ledger.find(KEY) is None
        for _ in range(2):
            await ledger.create(entry(), permitted)
        with pytest.raises(PermanentError, match="2 payments under the key"):
            await ledger.find(KEY)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(Decimal(8), "Bill", "901"), (Decimal(9), "Bill", "902"), (Decimal("4.50"), "VendorCredit", "77")],
    ],
)
async def test_a_payment_of_ours_that_does_not_say_what_it_pays_is_there_all_the_same(tmp_path: Path, lines: Any):
    system = owing()
    async with quickbooks(tmp_path, system) as ledger:
        await ledger.create(entry(), permitted)
        [made] = system.payments
        system.change(made, lines=lines, total=Decimal("12.50"))
        found = await ledger.find(KEY)
    assert found == Receipt(made, Decimal("12.50"), "EUR", date(2026, 1, 31), "(none that it names)")
    terms = Terms(Decimal("12.50"), "EUR", date(2026, 1, 31), None)
    assert difference(found, terms, "901") == "the ledger recorded bill (none that it names) instead of 901"


async def test_a_payment_that_quickbooks_leaves_without_its_bill_is_no_success(tmp_path: Path):
    system = owing()

    async def unapplied(_: object) -> Any:
        [one] = system.payments.values()
        system.change(one.id, lines=[], total=Decimal("12.50"))
        return system.said(BillPayment=system.shape(one))

    system.mishap = unapplied
    async with quickbooks(tmp_path, system) as ledger:
        receipt = await ledger.create(entry(), permitted)
    assert receipt.invoice == "(none that it names)"


async def test_a_look_up_that_finds_others_too_proves_nothing(tmp_path: Path):
    system = owing()
    row = system.shape(system.pay("901", Decimal(5), "2026-01-30"))
    system.refuse.append(reply({"QueryResponse": {"BillPayment": [row]}}))
    async with quickbooks(tmp_path, system) as ledger:
        with pytest.raises(LedgerMisfit, match="got others too"):
            await ledger.find(KEY)


async def test_one_document_for_several_bills_is_a_payment_of_each(tmp_path: Path):
    system = owing()
    made = system.pay(
        [("901", Decimal(30)), ("902", Decimal("12.34")), ("901", Decimal(5))], Decimal(0), "2026-01-30"
    )
    async with quickbooks(tmp_path, system) as ledger:
        [batch] = await batches_of(ledger)
        assert [(one.key, one.amount, one.supplier_id, one.supplier) for one in batch.payments] == [
            (f"{made.id}/901", Decimal(35), "56", None), (f"{made.id}/902", Decimal("12.34"), "56", None)
        ]  # fmt: skip
        assert batch.undone == [Undone(made.id, [f"{made.id}/901", f"{made.id}/902"])]
        system.change(made.id, lines=[(Decimal(30), "Bill", "901")])
        [batch] = await batches_of(ledger, batch.position)
    assert batch.undone == [Undone(made.id, [f"{made.id}/901"])]


@pytest.mark.parametrize(
    ("lines", "paid", "unreadable"),
    [
        ([(Decimal(100), "Bill", "901"), (Decimal(30), "VendorCredit", "7")], {"901": Decimal(70)}, False),
        ([(Decimal(30), "Bill", "901"), (Decimal(30), "VendorCredit", "7")], {}, False),
        ([(Decimal(9), "Bill", "901"), (Decimal(9), "Bill", "902"), (Decimal(3), "VendorCredit", "7")], {}, True),
        ([(Decimal(9), "JournalEntry", "8")], {}, False),
        ([(Decimal(100), "Bill", "901"), (Decimal(30), "JournalEntry", "8")], {"901": Decimal(70)}, False),
        ([(Decimal(100), "Bill", "901"), (Decimal(-30), "JournalEntry", "8")], {"901": Decimal(100)}, False),
        ([], {}, False),
        (None, {}, False),
    ],
)
async def test_credits_are_no_payments(tmp_path: Path, lines: Any, paid: dict[str, Decimal], unreadable: bool):
    system = owing()
    system.change(system.pay("901", Decimal(1), "2026-01-30").id, lines=lines)
    async with quickbooks(tmp_path, system) as ledger:
        found = await read_all(ledger)
    assert {one.invoice: one.amount for one in found.payments} == paid
    assert bool(found.unreadable) == unreadable


@pytest.mark.parametrize("how", ["void", "delete"])
async def test_what_was_voided_or_deleted_is_undone(tmp_path: Path, how: str):
    system = owing()
    made = system.pay("901", Decimal(5), "2026-01-30").id
    async with quickbooks(tmp_path, system) as ledger:
        position = (await read_all(ledger)).position
        getattr(system, how)(made)
        system.requests.clear()
        [batch] = await batches_of(ledger, position)
        assert batch.undone == [Undone(made, [])]
        assert len(system.requests) == 1
        assert "/cdc?" in system.requests[0]


async def test_a_lap_with_nothing_new_is_one_request_for_months(tmp_path: Path):
    system = owing()
    system.pay("901", Decimal(5), "2026-01-30")
    async with quickbooks(tmp_path, system) as ledger:
        position = (await read_all(ledger)).position
        assert position
        system.now += timedelta(days=1)
        for _ in range(3):
            system.requests.clear()
            [batch] = await batches_of(ledger, position)
            assert (batch.payments, len(system.requests)) == ([], 1) or batch.position > position
            position = batch.position
    assert position == (system.now).isoformat(timespec="seconds")


async def test_after_a_long_pause_everything_changed_is_read_and_deletions_as_far_as_they_are_told(tmp_path: Path):
    system = owing()
    first = system.pay("901", Decimal(1), "2026-01-30").id
    system.now -= timedelta(days=60)
    async with quickbooks(tmp_path, system) as ledger:
        system.payments[first].updated = system.now
        position = (await read_all(ledger)).position
        second = system.pay("901", Decimal(2), "2026-01-30").id
        system.now += timedelta(days=59)
        system.delete(first)
        batches = await batches_of(ledger, position)
    assert [one.key for batch in batches for one in batch.payments] == [f"{second}/901"]
    assert Undone(first, []) in batches[0].undone
    assert batches[0].position == position
    assert batches[-1].position > position


async def test_more_changes_than_are_told_at_once_are_all_read(tmp_path: Path):
    system = owing()
    async with quickbooks(tmp_path, system) as ledger:
        system.pay("901", Decimal(1), "2026-01-30")
        position = (await read_all(ledger)).position
        for number in range(1100):
            payment = system.pay("901", Decimal(number), "2026-01-30")
            payment.updated = system.now = system.now - timedelta(minutes=9, seconds=59)
        assert len((await read_all(ledger, position)).amounts) >= 1100
        first = await read_all(ledger, None, stop_after=1)
        rest = await read_all(ledger, first.position)
        assert len(first.amounts | rest.amounts) == 1101


async def test_a_company_of_one_currency_names_none(tmp_path: Path):
    system = owing()
    system.names_currencies = False
    system.pay("901", Decimal(5), "2026-01-30")
    async with quickbooks(tmp_path, system) as ledger:
        assert [one.currency for one in (await read_all(ledger)).payments] == ["EUR"]
        assert await ledger.bill(entry()) == Bill("901", Decimal(95), "EUR")


@pytest.mark.parametrize(
    "answer",
    [
        {"CDCResponse": [{"QueryResponse": [{"Fault": {"Error": []}}]}], "time": "2026-01-01T00:00:00Z"},
        {"CDCResponse": [{}], "time": "2026-01-01T00:00:00Z"},
        {"CDCResponse": [{"QueryResponse": [{}]}]},
        {"time": "2026-01-01T00:00:00Z"},
        {"Fault": {"Error": [{"Detail": "internal"}]}},
    ],
)
async def test_half_an_answer_is_no_quiet_lap(tmp_path: Path, answer: object):
    system = owing()
    async with quickbooks(tmp_path, system) as ledger:
        position = (await read_all(ledger)).position
        system.refuse.append(reply(answer))
        with pytest.raises(TemporaryError):
            await read_all(ledger, position)


async def test_too_often_without_a_time_holds_up_what_follows_for_a_minute(tmp_path: Path):
    system = owing()
    system.refuse += [None, None, None, fault("ThrottleExceeded", "errorCode=003001", 429)]
    async with quickbooks(tmp_path, system, QUICKBOOKS) as ledger:
        with pytest.raises(TemporaryError, match="errorCode=003001"):
            await ledger.create(entry(), permitted)
    assert system.payments == {}


async def test_a_token_that_ran_out_is_told_in_the_vendors_words(tmp_path: Path):
    system = owing()
    async with quickbooks(tmp_path, system) as ledger:
        system.token = "another"
        with pytest.raises(TemporaryError, match="Token expired"):
            await ledger.find(KEY)
        with pytest.raises(TemporaryError, match="Token expired"):
            await read_all(ledger)


async def test_the_probe_tells_company_accounts_and_currencies(tmp_path: Path):
    system = owing()
    system.accounts["36"]["Active"] = False
    del system.accounts["41"]
    async with quickbooks(tmp_path, system) as ledger:
        probes = await ledger.probe()
    assert [one.what for one in probes] == [
        "company 4620816365, in EUR", "pays in EUR from Bank EUR", "account for GBP", "account for USD",
    ]  # fmt: skip
    assert "there is no account 41" in probes[2].fault
    assert "not active" in probes[3].fault
    assert system.bodies == []
