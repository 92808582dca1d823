"""What the sandbox does with payments when it is asked to be difficult."""

from __future__ import annotations

import pytest

from precoro_daemon.sandbox import SandboxOptions, paying, schema
from precoro_daemon.sandbox.options import Tuning
from precoro_daemon.sandbox.refusals import RefusedError
from precoro_daemon.sandbox.rows import Row
from tests.payments.world import Bank, open_bank


def invoice_at(bank: Bank) -> Row:
    return bank.company.create("invoices", status=schema.APPROVED, total=10_000, currency="EUR")


def ask(bank: Bank, invoice: Row, amount: str, name: str = "") -> Row:
    form = {"invoice": {"id": str(invoice.id)}, "sumPaid": amount, "payDate": "2026-01-15", "externalId": name}
    return paying.order(bank.company, bank.tuning, "payments", form)


def test_with_the_guard_off_more_than_is_owed_is_taken() -> None:
    bank = open_bank(over_payment_guard=False)
    invoice = invoice_at(bank)
    for _ in range(2):
        ask(bank, invoice, "80")
    assert invoice.paid == 16_000
    with pytest.raises(RefusedError):
        ask(bank, invoice, "0")


@pytest.mark.parametrize(
    ("options", "name", "kept"),
    [
        ({}, "our-name", "our-name"),
        ({"keep_external_id": False}, "our-name", None),
        ({"numeric_external_ids": True}, "our-name", None),
        ({"numeric_external_ids": True}, "12345", "12345"),
    ],
)
def test_what_becomes_of_an_external_id(options: dict[str, bool], name: str, kept: str | None) -> None:
    bank = open_bank(**options)
    assert ask(bank, invoice_at(bank), "10", name).external_id == kept


def test_a_text_for_a_number_is_refused_afterwards() -> None:
    bank = open_bank(numeric_external_ids=True)
    payment = ask(bank, invoice_at(bank), "10")
    with pytest.raises(RefusedError, match="externalId"):
        paying.rename(bank.company, bank.tuning, payment, {"externalId": "our-name"})
    paying.rename(bank.company, bank.tuning, payment, {"externalId": "17"})
    assert payment.external_id == "17"


def test_a_person_pays_in_the_same_moment_once() -> None:
    bank = open_bank()
    bank.tuning.change({"rival": "same"})
    invoice = invoice_at(bank)
    ask(bank, invoice, "10")
    ask(bank, invoice, "10")
    assert [row.total for row in invoice.made("payments")] == [1_000, 1_000, 1_000]
    bank.tuning.change({"rival": "rest"})
    with pytest.raises(RefusedError, match="already fully paid"):
        ask(bank, invoice, "10")


def test_a_rival_that_nobody_knows() -> None:
    with pytest.raises(ValueError, match="rival"):
        Tuning.of(SandboxOptions()).change({"rival": "everybody"})
