"""The xero ledger: what leaves, what each answer means, and what is read; Xero's own client as the oracle."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from xero_python.accounting import Account, Invoice, Payment, Payments
from xero_python.accounting import models as xero_models
from xero_python.api_client import ModelFinder
from xero_python.api_client.deserializer import deserialize
from xero_python.api_client.serializer import serialize

from precoro_daemon.adapters.ledgers.own_keys import key_in, short_key_in
from precoro_daemon.adapters.ledgers.xero.ledger import Organisation, XeroLedger
from precoro_daemon.errors import DoubtfulError, LedgerMisfit, PermanentError, TemporaryError
from precoro_daemon.payments.ports.ledger import Ledger
from precoro_daemon.payments.rules.ledger_payments import Undone
from precoro_daemon.payments.rules.receipts import Bill, Receipt
from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.accounting import TOKEN, drop, reply
from tests.contracts.ledgers.books import entry, permitted, read_all
from tests.contracts.ledgers.online import XERO, open_online
from tests.contracts.ledgers.xero import NOTHING, TENANT, Xero, too_often

pytestmark = pytest.mark.asyncio

BILL = "8c9e6f60-0000-4000-8000-000000000500"
KEY = entry().key


@asynccontextmanager
async def xero(directory: Path, system: Xero, config: str = XERO) -> AsyncIterator[Ledger]:
    async with serving(system.serve) as origin, open_online(origin, directory, config) as ledger:
        yield ledger


def owing(amount: str = "100.00", **facts: Any) -> Xero:
    system = Xero()
    system.bill(BILL, total=Decimal(amount), **facts)
    return system


def payment(**changed: Any) -> Any:
    return entry(invoice_external_id=BILL, **changed)


def _without_defaults(tree: Any) -> Any:
    """What its client adds by itself: "HasErrors": false and such."""
    if isinstance(tree, list):
        return [_without_defaults(one) for one in tree]
    if isinstance(tree, dict):
        return {name: _without_defaults(value) for name, value in tree.items() if value is not False}
    return tree


async def test_what_leaves_is_what_xeros_own_client_would_send(tmp_path: Path):
    system = owing(currency="USD")
    async with xero(tmp_path, system) as ledger:
        receipt = await ledger.create(payment(amount="12.50", currency="USD"), permitted)
    [made] = system.payments.values()
    assert receipt == Receipt(made.id, Decimal("12.50"), "USD", date(2026, 1, 31), BILL)
    said = Payment(
        invoice=Invoice(invoice_id=BILL),
        account=Account(account_id="bank-usd"),
        date=date(2026, 1, 31),
        amount=Decimal("12.50"),
        reference=f"Precoro {KEY}",
    )
    [expected] = _without_defaults(serialize(Payments(payments=[said])))["Payments"]
    [sent] = system.bodies[0]["Payments"]
    # Its client writes a day as the milliseconds of its midnight; Xero takes the plain day too, as its pages show.
    assert expected.pop("Date") == "/Date(1769817600000)/"
    assert sent == expected | {"Date": "2026-01-31"}
    assert system.requests[-1] == "PUT /api.xro/2.0/Payments?summarizeErrors=true"


async def test_xeros_own_client_understands_what_the_stand_in_answers(tmp_path: Path):
    system = owing()
    async with xero(tmp_path, system) as ledger:
        await ledger.create(payment(amount="12.50"), permitted)
        [read] = (await read_all(ledger)).payments
    found = [one for one in system.answers if "Payments" in one]
    for answer in found:
        models = deserialize("Payments", json.loads(json.dumps(answer, default=str)), ModelFinder(xero_models))
        [model] = models.payments
        assert (model.payment_id, model.invoice.invoice_id) == (read.key, BILL)
        assert (model.date, Decimal(model.amount)) == (read.paid_on, read.amount)
        assert model.payment_type == "ACCPAYPAYMENT"
    assert len(found) == 2


@pytest.mark.parametrize("summarizes", [True, False])
async def test_what_xero_refuses_is_no_success_and_its_words_arrive(tmp_path: Path, summarizes: bool):
    """Not asked to summarize, it answers 200 with an id of zeros."""
    system = owing("10.00")
    system.summarizes = summarizes
    async with xero(tmp_path, system) as ledger:
        with pytest.raises(PermanentError, match="Payment amount exceeds the amount outstanding on this document"):
            await ledger.create(payment(amount="10.01"), permitted)
    assert system.payments == {}


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"PaymentID": NOTHING}, DoubtfulError),
        ({"PaymentID": NOTHING, "HasValidationErrors": True}, PermanentError),
        ({"StatusAttributeString": "ERROR"}, PermanentError),
        ({"PaymentID": "", "ValidationErrors": [{"Message": "no"}]}, PermanentError),
        ({"PaymentID": "p-1", "StatusAttributeString": "ERROR"}, DoubtfulError),
        ({"PaymentID": "p-1", "ValidationErrors": [{"Message": "no"}]}, DoubtfulError),
        ({"PaymentID": ""}, DoubtfulError),
        ({}, DoubtfulError),
        (None, DoubtfulError),
    ],
)
async def test_a_good_status_says_nothing(tmp_path: Path, row: Mapping[str, Any] | None, kind: type[Exception]):
    system = owing()

    async def said(_: object) -> Any:
        return reply({"Status": "OK", "Payments": [] if row is None else [row]})

    system.mishap = said
    async with xero(tmp_path, system) as ledger:
        with pytest.raises(kind):
            await ledger.create(payment(amount="1.00"), permitted)


async def test_a_payment_needs_the_currency_of_bill_and_account(tmp_path: Path):
    system = owing()
    system.bill("in-gbp", currency="GBP")
    system.accounts["bank-usd"]["CurrencyCode"] = "EUR"
    system.bill("in-usd", currency="USD")
    async with xero(tmp_path, system) as ledger:
        with pytest.raises(PermanentError, match="the bill is in EUR, the payment in USD"):
            await ledger.create(payment(amount="1.00", currency="USD"), permitted)
        with pytest.raises(PermanentError, match=r"no account pays in 'GBP' \(but in: EUR, USD\)"):
            await ledger.create(entry(currency="GBP", invoice_external_id="in-gbp"), permitted)
        with pytest.raises(PermanentError, match="account Bank USD is in EUR, and accounts in"):
            await ledger.create(entry(currency="USD", invoice_external_id="in-usd"), permitted)
    assert system.bodies == []


async def test_what_is_open_on_a_bill(tmp_path: Path):
    system = owing("100.00", currency="USD")
    system.pay(BILL, Decimal("30.50"), "2026-01-30")
    system.bill("draft", total=Decimal(5), status="DRAFT")
    system.bill("INV-7", type="ACCREC")
    async with xero(tmp_path, system) as ledger:
        assert await ledger.bill(payment()) == Bill(BILL, Decimal("69.50"), "USD")
        draft = await ledger.bill(entry(invoice_external_id="draft"))
        assert draft
        assert "approve it" in draft.closed
        # Xero takes the numbers of customers' invoices for ids.
        for unknown in ("INV-7", "gone", "", "../Payments"):
            assert await ledger.bill(entry(invoice_external_id=unknown)) is None
            with pytest.raises(PermanentError, match="it has no bill"):
                await ledger.create(entry(invoice_external_id=unknown), permitted)


async def test_an_id_in_capitals_is_the_same_id(tmp_path: Path):
    system = owing()
    async with xero(tmp_path, system) as ledger:
        receipt = await ledger.create(entry(invoice_external_id=BILL.upper()), permitted)
    assert receipt.invoice == BILL.upper()
    assert system.bodies[0]["Payments"][0]["Invoice"] == {"InvoiceID": BILL}


async def test_a_bill_that_was_just_read_is_not_read_again_for_its_payment(tmp_path: Path):
    system = owing()
    async with xero(tmp_path, system) as ledger:
        for _ in range(2):
            await ledger.bill(payment(amount="1.00"))
            await ledger.create(payment(amount="1.00"), permitted)
    assert [request.split("?")[0].rsplit("/", 2)[-2] for request in system.requests] == [
        "Invoices", "Accounts", "2.0", "Invoices", "2.0"
    ]  # fmt: skip


async def test_only_payments_of_bills_are_read_and_each_of_a_batch_is_one(tmp_path: Path):
    system = owing(contact="supplier-7")
    system.pay(BILL, Decimal(5), "2026-01-30", batch="b-1")
    system.pay("902", Decimal(6), "2026-01-30", batch="b-1", reference="Precoro invoice 12")
    for kind in ("ACCRECPAYMENT", "APCREDITPAYMENT", "APOVERPAYMENTPAYMENT", "APPREPAYMENTPAYMENT"):
        system.pay(BILL, Decimal(7), "2026-01-30", type=kind)
    undone = system.pay(BILL, Decimal(8), "2026-01-30", reference=f"Precoro {KEY}", status="DELETED")
    async with xero(tmp_path, system) as ledger, ledger.recorded(None) as batches:
        [batch] = [one async for one in batches]
    assert [(one.invoice, one.amount, one.ours) for one in batch.payments] == [
        (BILL, Decimal(5), None), ("902", Decimal(6), None)
    ]  # fmt: skip
    assert batch.payments[0].supplier_id == "supplier-7"
    assert batch.payments[0].supplier is None
    assert batch.undone == [Undone(undone.id)]
    assert not batch.unreadable


async def test_a_bill_whose_currency_is_not_said_is_no_payment_of_any_currency(tmp_path: Path):
    system = owing(currency="")
    system.pay(BILL, Decimal(5), "2026-01-30")
    async with xero(tmp_path, system) as ledger:
        found = await read_all(ledger)
    assert not found.payments
    assert "currency" in found.unreadable[0].reason


async def test_a_lap_with_nothing_new_is_one_request(tmp_path: Path):
    system = owing()
    for number in range(2500):
        system.pay(BILL, Decimal(number), "2026-01-30")
    async with xero(tmp_path, system) as ledger:
        first = await read_all(ledger)
        assert len(first.amounts) == 2500
        assert len(system.requests) == 3
        again = await read_all(ledger, first.position)
    assert len(system.requests) == 4
    assert len(again.payments) <= 2


@pytest.mark.parametrize(("told", "largest"), [(True, 3), (False, 100)])
async def test_a_server_that_gives_smaller_pages_is_read_to_its_end(tmp_path: Path, told: bool, largest: int):
    system = owing()
    system.pages_are_told, system.largest_page = told, largest
    for number in range(7 if told else 250):
        system.pay(BILL, Decimal(number), "2026-01-30")
    async with xero(tmp_path, system) as ledger:
        assert len((await read_all(ledger)).amounts) == len(system.payments)


async def test_rows_that_move_between_pages_and_rows_of_one_moment_are_all_read(tmp_path: Path):
    system = owing()
    system.largest_page = 3
    for number in range(14):
        system.pay(BILL, Decimal(number), "2026-01-30")
    ids = [*system.payments]
    moment = system.tick()
    for id_ in ids[4:12]:
        system.payments[id_].updated = moment
    seen: set[str] = set()
    async with xero(tmp_path, system) as ledger, ledger.recorded(None) as batches:
        async for batch in batches:
            seen |= {one.key for one in batch.payments}
            if len(system.requests) == 1:
                system.change(ids[0], amount=Decimal(77))
    assert seen == set(ids)


async def test_found_is_what_bears_our_reference_and_still_stands(tmp_path: Path):
    system = owing()
    async with xero(tmp_path, system) as ledger:
        assert await ledger.find(KEY) is None
        system.mishap = drop
        with pytest.raises(DoubtfulError):
            await ledger.create(payment(amount="12.50"), permitted)
        [made] = system.payments.values()
        assert await ledger.find(KEY) == Receipt(made.id, Decimal("12.50"), "EUR", date(2026, 1, 31), BILL)
        system.change(made.id, status="DELETED")
        assert await ledger.find(KEY) is None
        for _ in range(2):
            await ledger.create(payment(amount="1.00"), permitted)
        with pytest.raises(PermanentError, match="2 payments under the key"):
            await ledger.find(KEY)


async def test_a_look_up_that_finds_others_too_proves_nothing(tmp_path: Path):
    system = owing()
    system.pay(BILL, Decimal(5), "2026-01-30")
    system.refuse.append(reply({"Payments": [system.shape(one) for one in system.payments.values()]}))
    async with xero(tmp_path, system) as ledger:
        with pytest.raises(LedgerMisfit, match="got others too"):
            await ledger.find(KEY)


async def test_too_often_holds_up_the_next_calls_instead_of_being_asked_for_again(tmp_path: Path):
    system = owing()
    system.refuse += [None, None, too_often(0)]
    async with xero(tmp_path, system) as ledger:
        with pytest.raises(TemporaryError, match="limit: minute"):
            await ledger.create(payment(amount="1.00"), permitted)
        await ledger.create(payment(amount="1.00"), permitted)
        assert len(system.payments) == 1
        system.refuse.append(too_often(7200, "day"))
        with pytest.raises(TemporaryError, match="limit: day") as told:
            await ledger.find(KEY)
        asked = len(system.requests)
        assert told.value.wait
        for call in (ledger.find(KEY), ledger.create(payment(amount="1.00"), permitted), read_all(ledger)):
            with pytest.raises(TemporaryError, match="limit: day") as told:
                await call
            assert told.value.wait
            assert 7100 < told.value.wait < 7300
    assert len(system.requests) == asked


def _token(scopes: list[str]) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"scope": scopes}).encode()).decode().rstrip("=")
    return f"head.{claims}.signature"


@pytest.mark.parametrize(
    ("scopes", "fault"),
    [
        (["accounting.transactions", "accounting.settings"], ""),
        (["accounting.payments", "accounting.invoices.read", "accounting.settings.read"], ""),
        (["accounting.transactions.read", "accounting.settings"], "record payments"),
        (["accounting.payments", "accounting.settings.read"], "read bills"),
        (["accounting.payments", "accounting.invoices.read"], "read bank accounts"),
    ],
)
async def test_the_probe_tells_rights_accounts_and_currencies(tmp_path: Path, scopes: list[str], fault: str):
    system = owing()
    system.token = _token(scopes)
    system.accounts["bank-usd"]["Status"] = "ARCHIVED"
    async with xero(tmp_path, system) as ledger:
        (tmp_path / "token").write_text(system.token)
        probes = await ledger.probe()
    faults = {one.what: one.fault for one in probes if one.fault}
    assert "Bank USD: it is not active" in faults.pop("account for USD")
    assert ("rights" in faults) == bool(fault)
    assert fault in faults.get("rights", "")
    told = " ".join(one.what for one in probes)
    assert "organisation Demo Company, in EUR" in told
    assert "pays in EUR from Bank EUR" in told
    assert system.bodies == []


async def test_without_accounts_it_takes_no_payments(tmp_path: Path):
    config = XERO.replace('accounts = { EUR = "bank-eur", USD = "bank-usd" }\n', "")
    async with xero(tmp_path, owing(), config) as ledger:
        assert ledger.capabilities.create == "none"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f"Precoro {KEY}", KEY),
        (f"paid, see {KEY.upper()}.", KEY),
        ("Precoro invoice 12", None),
        ("Precoro 5f0c9a52-7a4b-4c9e-9d57-0d8f0b6c1a11", None),
        (f"x{KEY}", None),
        (None, None),
    ],
)
async def test_ours_is_what_carries_a_key_of_ours(text: str | None, key: str | None):
    assert key_in(text) == key


async def test_a_short_key_stands_alone():
    assert short_key_in(" f58cefe6a9447a4198e7 ") == "f58cefe6a9447a4198e7"
    assert short_key_in("check f58cefe6a9447a4198e7") is None
    assert short_key_in("12345678901234567890") is None
    assert short_key_in(7) is None


@dataclass
class Renewed:
    """Implements `Bearer`: the first token ran out, the next one is good."""

    tokens: list[str]
    refused: list[str] = field(default_factory=list)

    async def token(self) -> str:
        return self.tokens[0]

    async def renew(self, refused: str) -> None:
        self.refused.append(refused)
        self.tokens = self.tokens[1:] or self.tokens


async def test_a_token_that_ran_out_is_renewed_once_and_no_payment_is_sent_twice():
    system = owing()
    bearer = Renewed(["old", TOKEN])
    async with serving(system.serve) as origin:
        given = Organisation("books", origin, TENANT, {"EUR": "bank-eur"}, 3.0)
        async with XeroLedger(given, bearer) as ledger:
            assert await ledger.find(KEY) is None
            assert (bearer.refused, len(system.requests)) == (["old"], 2)
            await ledger.bill(payment(amount="1.00"))
            await ledger.create(payment(amount="1.00"), permitted)
            await ledger.bill(payment(amount="1.00"))
            system.token = "newer"
            bearer.tokens = [TOKEN, "newer"]
            system.requests.clear()
            with pytest.raises(TemporaryError, match="TokenExpired"):
                await ledger.create(payment(amount="1.00"), permitted)
            assert len(system.requests) == 1
            await ledger.create(payment(amount="1.00"), permitted)
    assert len(system.payments) == 2
