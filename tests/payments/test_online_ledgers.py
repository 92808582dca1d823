"""Xero and QuickBooks Online through the planner to the journal, and what people and networks do meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import pytest

from precoro_daemon.adapters.http.bearer import SuppliedBearer
from precoro_daemon.adapters.ledgers.quickbooks.company import Company
from precoro_daemon.adapters.ledgers.quickbooks.ledger import QuickbooksLedger
from precoro_daemon.adapters.ledgers.xero.ledger import Organisation, XeroLedger
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.sandbox.rows import Row
from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.accounting import TOKEN, drop
from tests.contracts.ledgers.quickbooks import REALM, QuickBooks, fault
from tests.contracts.ledgers.xero import TENANT, Xero, too_often
from tests.payments.books import DAY
from tests.payments.scene import Scene, payments, scene
from tests.payments.world import HOUR, MINUTE

pytestmark = pytest.mark.asyncio

Entry = tuple[str, Decimal, str]
"""A payment as the accountant sees it: bill, amount, currency."""


class Side(Protocol):
    """The accountant's side of one system."""

    system: Any

    def owes(self, bill: str, total: str, currency: str) -> None: ...

    def pays(self, bill: str, amount: str) -> None: ...

    def undoes(self) -> None:
        """The last payment that was made."""
        ...

    def refuses(self) -> str:
        """The month is closed; in which words."""
        ...

    def entries(self) -> list[Entry]: ...

    def notes(self) -> list[str]:
        """What stands in the field for our key, of the payments that stand."""
        ...

    def is_too_busy(self) -> None:
        """For the next payment that is sent."""
        ...


@dataclass
class XeroSide:
    system: Xero = field(default_factory=Xero)

    def owes(self, bill: str, total: str, currency: str) -> None:
        self.system.bill(bill, total=Decimal(total), currency=currency)

    def pays(self, bill: str, amount: str) -> None:
        self.system.pay(bill, Decimal(amount), DAY.isoformat())

    def undoes(self) -> None:
        self.system.change([*self.system.payments][-1], status="DELETED")

    def refuses(self) -> str:
        self.system.locked_until = DAY.isoformat()
        return "cannot be before the period lock date"

    def entries(self) -> list[Entry]:
        there = (one for one in self.system.payments.values() if one.status != "DELETED")
        return [(one.bill, one.amount, self.system.bills[one.bill].currency) for one in there]

    def notes(self) -> list[str]:
        return [one.reference or "" for one in self.system.payments.values() if one.status != "DELETED"]

    def is_too_busy(self) -> None:
        self.system.answer = _first_payment_meets(self.system.answer, lambda: too_often(0))  # type: ignore[method-assign]


@dataclass
class QuickBooksSide:
    system: QuickBooks = field(default_factory=QuickBooks)

    def owes(self, bill: str, total: str, currency: str) -> None:
        self.system.bill(bill, total=Decimal(total), currency=currency)

    def pays(self, bill: str, amount: str) -> None:
        self.system.pay(bill, Decimal(amount), DAY.isoformat(), currency=self.system.bills[bill].currency)

    def undoes(self) -> None:
        last = [*self.system.payments][-1]
        (self.system.void if int(last) % 2 else self.system.delete)(last)

    def refuses(self) -> str:
        self.system.closed_until = DAY.isoformat()
        return "The account period has closed"

    def entries(self) -> list[Entry]:
        rows = self.system.payments.values()
        return [(bill, amount, one.currency) for one in rows for amount, _, bill in one.lines or ()]

    def notes(self) -> list[str]:
        return [one.note or "" for one in self.system.payments.values() if one.lines is not None]

    def is_too_busy(self) -> None:
        def refusal() -> Any:
            answer = fault("ThrottleExceeded", "errorCode=003001", 429)
            answer.headers["Retry-After"] = "0"
            return answer

        self.system.answer = _first_payment_meets(self.system.answer, refusal)  # type: ignore[method-assign]


def _first_payment_meets(answer: Callable[..., Any], refusal: Callable[[], Any]) -> Callable[..., Any]:
    met: list[str] = []

    async def answered(request: Any, *more: Any) -> Any:
        if request.method != "GET" and not met:
            met.append(request.path)
            return refusal()
        return await answer(request, *more)

    return answered


@asynccontextmanager
async def xero() -> AsyncIterator[tuple[Side, Scene]]:
    side = XeroSide()
    async with serving(side.system.serve) as origin:
        accounts = {"EUR": "bank-eur", "USD": "bank-usd"}
        given = Organisation("books", origin, TENANT, accounts, 3.0)
        async with XeroLedger(given, SuppliedBearer(lambda: TOKEN)) as ledger:
            yield side, scene(ledger=ledger, match_by="external_id")


@asynccontextmanager
async def quickbooks() -> AsyncIterator[tuple[Side, Scene]]:
    side = QuickBooksSide()
    async with serving(side.system.serve) as origin:
        given = Company("books", origin, REALM, {"EUR": "35", "USD": "36"}, 3.0)
        async with QuickbooksLedger(given, SuppliedBearer(lambda: TOKEN)) as ledger:
            yield side, scene(ledger=ledger, match_by="external_id")


Books = Callable[[], AbstractAsyncContextManager[tuple[Side, Scene]]]
both = pytest.mark.parametrize("books", [xero, quickbooks])


async def paid_in_precoro(side: Side, stage: Scene, bill: str = "901", currency: str = "USD") -> Row:
    """An invoice of 100.00 whose bill is in the books too, and which people pay in Precoro."""
    if not stage.invoices:
        await stage.export()
        stage.bank.clock.time += 10
    side.owes(bill, "100.00", currency)
    invoice = stage.invoice(external_id=bill, currency=currency)
    stage.bank.person_pays(invoice, 10_000, DAY.isoformat())
    return invoice


@both
async def test_a_payment_of_precoros_is_in_the_books_once_in_its_currency_and_never_comes_back(books: Books):
    async with books() as (side, stage):
        invoice = await paid_in_precoro(side, stage)
        for _ in range(3):
            await stage.export(after=HOUR)
            await stage.lap(after=HOUR)
        assert side.entries() == [("901", Decimal("100.00"), "USD")]
        assert (stage.intent.state, stage.intent.direction) == (State.CONFIRMED, Direction.TO_LEDGER)
        assert payments(invoice) == [10_000]


@both
async def test_one_whose_answer_is_lost_is_found_and_not_made_again(books: Books):
    async with books() as (side, stage):
        await paid_in_precoro(side, stage)
        side.system.mishap = drop
        await stage.export(after=HOUR)
        assert stage.intent.state is State.DOUBT
        for _ in range(3):
            await stage.export(after=HOUR)
        assert side.entries() == [("901", Decimal("100.00"), "USD")]
        assert stage.intent.state is State.CONFIRMED


@both
async def test_what_somebody_paid_meanwhile_is_not_paid_again(books: Books):
    async with books() as (side, stage):
        await paid_in_precoro(side, stage)
        side.pays("901", "60.00")
        for _ in range(2):
            await stage.export(after=HOUR)
        assert side.entries() == [("901", Decimal("60.00"), "USD")]
        assert stage.intent.state in (State.REJECTED, State.REVIEW)


@both
async def test_what_is_undone_in_the_books_is_told_to_a_person_and_not_made_again(books: Books):
    async with books() as (side, stage):
        await paid_in_precoro(side, stage)
        await stage.export(after=HOUR)
        await stage.export(after=HOUR)
        side.undoes()
        for _ in range(3):
            await stage.export(after=HOUR)
        assert side.entries() == []
        assert stage.intent.state is State.REVIEW
        assert "now says: payment" in stage.intent.reason
        assert "of 0.00 USD" in stage.intent.reason


@both
async def test_what_is_undone_before_it_was_ever_read_is_told_to_a_person_too(books: Books):
    async with books() as (side, stage):
        await paid_in_precoro(side, stage)
        await stage.export(after=HOUR)
        side.undoes()
        for _ in range(2):
            await stage.export(after=HOUR)
        assert (side.entries(), stage.intent.state) == ([], State.REVIEW)


@both
async def test_what_the_vendor_refuses_is_refused_in_its_words(books: Books):
    async with books() as (side, stage):
        await paid_in_precoro(side, stage)
        words = side.refuses()
        await stage.export(after=HOUR)
        assert side.entries() == []
        assert stage.intent.state is State.REJECTED
        assert words in stage.intent.reason


@both
async def test_too_many_calls_delay_a_payment_and_lose_and_double_none(books: Books):
    async with books() as (side, stage):
        await paid_in_precoro(side, stage)
        await paid_in_precoro(side, stage, "902", "EUR")
        side.is_too_busy()
        report = await stage.export(after=HOUR)
        assert len(report.failed) == 1
        assert len(side.entries()) == 1
        await stage.export(after=MINUTE)
        assert sorted(side.entries()) == [("901", Decimal("100.00"), "USD"), ("902", Decimal("100.00"), "EUR")]
        assert {intent.state for intent in stage.intents} == {State.CONFIRMED}


@both
async def test_a_payment_of_the_books_is_paid_in_precoro_and_a_person_hears_when_it_is_undone(books: Books):
    """Suppliers are linked nowhere here, and so contradict nothing."""
    async with books() as (side, stage):
        side.owes("901", "100.00", "USD")
        invoice = stage.invoice(external_id="901", currency="USD")
        side.pays("901", "100.00")
        await stage.lap()
        assert payments(invoice) == [10_000]
        side.undoes()
        await stage.lap(after=HOUR)
        assert stage.intent.state is State.REVIEW
        assert payments(invoice) == [10_000]


@both
async def test_a_payment_of_another_currency_than_the_invoice_is_not_paid(books: Books):
    async with books() as (side, stage):
        side.owes("901", "100.00", "EUR")
        invoice = stage.invoice(external_id="901", currency="USD")
        side.pays("901", "100.00")
        await stage.lap()
        assert payments(invoice) == []
        assert stage.intent.state is State.REVIEW
