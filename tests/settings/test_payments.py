"""What may be said of payments, and what is refused with a sentence."""

from __future__ import annotations

from decimal import Decimal

import pytest

from precoro_daemon.app.ledger_reading import reading_of
from precoro_daemon.app.values import polling_options
from tests.settings.conftest import Load, Mistake, Mistakes

BOOKS = """
[ledger]
kind = "csv"
name = "books"
[ledger.csv]
in_directory = "/tmp"
columns = { invoice = "Invoice", amount = "Amount", paid_on = "Date", currency = "Currency" }
"""


def test_caps_are_exact_and_may_be_lifted(read: Load) -> None:
    payments = read('[payments]\nmax_amount = "99.50"\nmax_per_day = 0\nmax_per_lap = 5\n').payments
    assert (payments.max_amount, payments.max_per_day, payments.max_per_lap) == (Decimal("99.50"), Decimal(0), 5)


@pytest.mark.parametrize("value", ["99.5", "-1", '"1,50"', "true", '"NaN"', '"1e5"'])
def test_an_amount_that_is_none(mistake: Mistake, value: str) -> None:
    assert "payments.max_amount" in mistake(f"[payments]\nmax_amount = {value}\n")


def test_fields_that_changed_for_good(read: Load, mistake: Mistake) -> None:
    assert read("[payments]\n").payments.accept_changed == ()
    listed = read('[payments]\naccept_changed = ["sumPaid", "supplier.id"]\n').payments
    assert listed.accept_changed == ("sumPaid", "supplier.id")
    assert read('[payments]\naccept_changed = "sumPaid, payDate"\n').payments.accept_changed == ("sumPaid", "payDate")
    assert "payments.accept_changed" in mistake("[payments]\naccept_changed = [1]\n")


def test_payments_need_a_ledger(mistake: Mistake) -> None:
    assert "there is no ledger" in mistake("[mark_invoices_paid]\nenabled = true\n")
    assert "there is no ledger" in mistake("[export_payments]\nenabled = true\n")


def test_where_payments_are_exported_the_lists_that_show_them_are_never_older_than_that_allows(read: Load) -> None:
    export = BOOKS + '[export_payments]\nenabled = true\nwithin = "2h"\n'

    def oldest(text: str) -> dict[str, float]:
        return {name: pace.oldest for name, pace in polling_options(read(text)).paces.items()}

    named = oldest(export)
    assert {name: named[name] for name in ("invoices", "payments", "taxes")} == {
        "invoices": 6_600.0, "payments": 6_600.0, "taxes": 86_400.0
    }  # fmt: skip
    assert oldest(export + '[freshness]\noldest = "30m"\n')["invoices"] == 1_800.0
    assert oldest(BOOKS + '[export_payments]\nwithin = "2h"\n')["invoices"] == 86_400.0, "nothing is exported"


def test_an_export_is_not_to_be_there_before_it_can_be(mistake: Mistake) -> None:
    assert "export_payments.within" in mistake('[export_payments]\nwithin = "5m"\n')


def test_payments_need_mirrored_invoices(mistakes: Mistakes) -> None:
    text = f'[mirror_collections]\ncollections = ["suppliers"]\n{BOOKS}\n[export_payments]\nenabled = true\n'
    assert any("mirror invoices too" in line for line in mistakes(text))


@pytest.mark.parametrize(
    ("job", "status", "hidden"),
    [
        ("mark_invoices_paid", '"approved"', "partly_paid ones"),
        ("mark_invoices_paid", '"paid"', "approved and partly_paid ones"),
        ("mark_invoices_paid", '"approved", 4', None),
        ("export_payments", '"approved", 4', "paid ones"),
        ("export_payments", '"partly_paid", "paid"', None),
    ],
)
def test_a_filter_must_not_hide_what_is_to_be_paid(
    read: Load, mistakes: Mistakes, job: str, status: str, hidden: str | None
) -> None:
    text = f"[mirror_collections.filters.invoices]\nstatus = [{status}]\n{BOOKS}\n[{job}]\nenabled = true\n"
    if hidden is None:
        assert getattr(read(text), job).enabled
    else:
        assert any(f"keeps out {hidden}" in line for line in mistakes(text))


def test_a_currency_has_three_letters(mistake: Mistake) -> None:
    assert "ISO 4217" in mistake('[mark_invoices_paid]\ncurrency = "euro"\n')


def test_a_way_to_match_that_does_not_exist(mistake: Mistake) -> None:
    assert "external_id, id, idn, number_and_supplier" in mistake('[mark_invoices_paid]\nmatch_by = "amount"\n')


@pytest.mark.parametrize(
    ("more", "same"),
    [
        ("", True),
        ('out_directory = "/tmp/out"\nout_done = ["/tmp/done"]\nout_columns = { a = "{key}" }\n', True),
        ('delimiter = ";"\n', False),
        ('delimiter = ";"\ndecimal_mark = ","\n', False),
        ('currency = "EUR"\n', False),
        ('ours_prefix = "P"\n', False),
    ],
)
def test_what_says_how_the_ledger_is_read_tells_one_reading_from_another(read: Load, more: str, same: bool) -> None:
    assert (reading_of(read(BOOKS)) == reading_of(read(BOOKS + more))) is same


def test_without_a_ledger_there_is_no_reading(read: Load) -> None:
    assert reading_of(read()) == ""
