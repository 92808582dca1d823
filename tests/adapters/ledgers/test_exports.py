"""Files as banks and spreadsheets write them: which rows are payments, and where the table is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.adapters.ledgers.cells import Writing
from precoro_daemon.adapters.ledgers.exports import Export, Format, read_export
from precoro_daemon.adapters.ledgers.row_kinds import Direction, RowKinds
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.values.text_patterns import compile_pattern

COLUMNS = {"invoice": "Bill", "amount": "Sum", "paid_on": "Day"}
KEYED = COLUMNS | {"key": "No"}
STATES = RowKinds({"State": ["COMPLETED"]}, {"State": ["REVERTED"]}, {"State": ["PENDING"]})
DIRECTION = RowKinds(direction=Direction("S/H", ["S", "Af"], ["H", "Bij"]))
INVOICE = compile_pattern(r"Invoice (\d+)")
GERMAN = Writing(",", ".", "%d.%m.%Y", negate=True)


def read(text: str | bytes, form: Format, reader: RowReader | None = None, name: str = "bank.csv") -> Export:
    content = text if isinstance(text, bytes) else text.encode()
    return read_export(name, content, form, reader or RowReader(currency="EUR"))


def table(columns: dict[str, str] = COLUMNS, kinds: RowKinds | None = None, delimiter: str = ",") -> Format:
    return Format(columns, "utf-8-sig", delimiter, kinds or RowKinds())


def amounts(export: Export) -> list[tuple[str, Decimal]]:
    return [(one.invoice, one.amount) for one in export.payments]


def reasons(export: Export) -> list[str]:
    return [one.reason for one in export.unreadable]


# Which rows are payments


def test_the_state_of_a_row_says_whether_it_is_a_payment():
    rows = "No,State,Bill,Sum,Day\n1,COMPLETED,a,1,2026-01-31\n2,reverted,b,2,2026-01-31\n3,PENDING,c,,\n"
    export = read(f"{rows}4,REVERTED,,,\n5,LOST,e,5,2026-01-31\n", table(KEYED, STATES))
    assert amounts(export) == [("a", Decimal(1)), ("b", Decimal(0))]
    assert [one.key for one in export.undone] == ["3", "4"]
    assert [(one.key, one.reason) for one in export.unreadable] == [
        ("5", "bank.csv:6: State: 'LOST' is not known; known are payment: COMPLETED; void: REVERTED; skip: PENDING")
    ]


def test_a_row_that_was_taken_for_a_payment_amounts_to_nothing_once_a_state_says_otherwise():
    """Also without a key: it is known by what it says, whatever is made of it."""
    before = read("State,Bill,Sum,Day\nDECLINED,a,1,2026-01-31\nREVERTED,b,2,2026-01-31\n", table())
    kinds = RowKinds(STATES.only, STATES.void, {"State": ["DECLINED"]})
    after = read("State,Bill,Sum,Day\nDECLINED,a,1,2026-01-31\nREVERTED,b,2,2026-01-31\n", table(kinds=kinds))
    assert [one.key for one in after.undone] == [before.payments[0].key]
    assert [(one.key, one.amount) for one in after.payments] == [(before.payments[1].key, Decimal(0))]


def test_any_other_value_may_be_named_too():
    kinds = RowKinds({"Account": ["1800"]}, {}, {"Account": ["*"]})
    export = read("Account,Bill,Sum,Day\n1800,a,1,2026-01-31\n4711,b,2,2026-01-31\n", table(kinds=kinds))
    assert (amounts(export), export.unreadable, export.passed_over) == ([("a", Decimal(1))], [], 1)


def test_money_that_came_in_is_less_than_nothing():
    rows = "Bill,Sum,Day,S/H\na,1,2026-01-31,s\nb,2,2026-01-31,H\nc,3,2026-01-31,?\nd,-4,2026-01-31,S\n"
    export = read(rows, table(kinds=DIRECTION))
    assert amounts(export) == [("a", Decimal(1)), ("b", Decimal(-2))]
    assert "S/H: '?' says neither that money was paid out (S, Af) nor that it came in (H, Bij)" in reasons(export)[0]
    assert "S/H 'S' says paid out, but the sign of the amount says otherwise" in reasons(export)[1]


def test_a_refund_that_was_taken_for_a_payment_is_the_same_row_once_the_direction_is_known():
    rows = "Bill,Sum,Day,S/H\nb,2,2026-01-31,H\n"
    (before,), (after,) = read(rows, table()).payments, read(rows, table(kinds=DIRECTION)).payments
    assert (before.key, before.amount, after.amount) == (after.key, Decimal(2), Decimal(-2))


def test_a_direction_beside_amounts_that_have_signs_must_agree():
    rows = "Bill,Sum,Day,S/H\na,-1,2026-01-31,S\nb,2,2026-01-31,H\nc,3,2026-01-31,S\nd,-4,2026-01-31,H\n"
    export = read(rows, table(kinds=DIRECTION), RowReader(Writing(negate=True)))
    assert amounts(export) == [("a", Decimal(1)), ("b", Decimal(-2))]
    assert len(export.unreadable) == 2


def test_two_columns_of_amounts():
    form = table({"invoice": "Bill", "debit": "Out", "credit": "In", "paid_on": "Day"})
    days = "2026-01-31"
    rows = f"Bill,Out,In,Day\na,1,,{days}\nb,,2,{days}\nc,3,0.00,{days}\nd,4,5,{days}\ne,,,{days}\n"
    export = read(rows, form)
    assert amounts(export) == [("a", Decimal(1)), ("b", Decimal(-2)), ("c", Decimal(3))]
    assert len(export.unreadable) == 2
    signed = read(rows.replace(",1,", ",-1,"), form, RowReader(Writing(negate=True)))
    assert amounts(signed) == [("a", Decimal(1)), ("b", Decimal(-2))]


@given(st.sampled_from(["S", "H", "x", ""]), st.decimals(-1000, 1000, places=2), st.booleans())
def test_what_is_more_than_nothing_was_said_to_be_paid_out(said: str, amount: Decimal, negate: bool):
    export = read(
        f"Bill,Sum,Day,S/H\na,{amount},2026-01-31,{said}\n", table(kinds=DIRECTION), RowReader(Writing(negate=negate))
    )
    for payment in export.payments:
        assert payment.amount <= 0 or said == "S"
        assert abs(payment.amount) == abs(amount)


def test_one_key_of_a_payment_and_of_none_is_a_persons_affair():
    export = read(
        "No,State,Bill,Sum,Day\n1,COMPLETED,a,1,2026-01-31\n1,PENDING,a,1,2026-01-31\n", table(KEYED, STATES)
    )
    assert [one.key for one in export.unreadable] == ["1"]


# Currencies beside amounts


@pytest.mark.parametrize(
    ("cell", "column", "assumed", "currency"),
    [("1 €", "", "", "EUR"), ("$1", "", "CAD", "CAD"), ("$1", "USD", "", "USD"),
     ("USD 1", "", "EUR", "USD"), ("1", "", "EUR", "EUR")],
)  # fmt: skip
def test_the_currency_beside_an_amount_counts(cell: str, column: str, assumed: str, currency: str):
    form = table(COLUMNS | {"currency": "Cur"})
    (payment,) = read(f"Bill,Sum,Day,Cur\na,{cell},2026-01-31,{column}\n", form, RowReader(currency=assumed)).payments
    assert (payment.amount, payment.currency) == (1, currency)


@pytest.mark.parametrize(
    ("cell", "column", "assumed", "why"),
    [("1 €", "USD", "", "the row says USD, but € stands beside the amount"), ("$1", "", "EUR", "$ may be USD, CAD"),
     ("$1", "", "", "name a column of it, or set `currency`")],
)  # fmt: skip
def test_currencies_that_contradict_each_other(cell: str, column: str, assumed: str, why: str):
    form = table(COLUMNS | {"currency": "Cur"})
    export = read(f"Bill,Sum,Day,Cur\na,{cell},2026-01-31,{column}\n", form, RowReader(currency=assumed))
    assert export.payments == []
    assert why in reasons(export)[0]


# References


def test_references_that_a_spreadsheet_bent():
    rows = 'Bill,Sum,Day\n"=""16""",1,2026-01-31\n\u200b12,1,2026-01-31\n1530.0,1,2026-01-31\nA\u00a07,1,2026-01-31\n'
    export = read(f"{rows}1.00E+01,1,2026-01-31\n", table())
    assert [invoice for invoice, _ in amounts(export)] == ["16", "12", "1530", "A 7"]
    assert "line 6: invoice: '1.00E+01' was bent by a spreadsheet, so its digits are lost" in reasons(export)[0]


def test_a_number_is_taken_out_of_a_text_and_the_row_stays_the_same():
    rows = "Bill,Sum,Day\nInvoice 6 / customer 4711,1,2026-01-31\nRent,2,2026-01-31\n,3,2026-01-31\n"
    rows += "Invoice 6 + Invoice 7,4,2026-01-31\n"
    export = read(rows, table(), RowReader(currency="EUR", invoice_pattern=INVOICE))
    assert [invoice for invoice, _ in amounts(export)] == ["6", "Rent", "(no reference)"]
    assert "names several: 6, 7" in reasons(export)[0]
    assert export.payments[0].key == read(rows, table()).payments[0].key


# Where the table is

BANK = (
    '\ufeff"Konto";"DE00 1234"\r\n""\r\n"Kontostand vom 30.01.2026:";"12.345,67 €"\r\n\r\n'
    '"Tag";"Status";"Zweck";"Betrag (€)"\r\n"28.01.2026";"Gebucht";"16";"-409,62 €"\r\n'
    '"29.01.2026";"Gebucht";"10";"-1.851,34 €";"";""\r\n"";"";"Summe";"-2.260,96 €"\r\n"Anzahl: 2"\r\n'
)
BANK_COLUMNS = {"invoice": "Zweck", "amount": "Betrag (€)", "paid_on": "Tag"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_bank_s_layout(encoding: str):
    content = (BANK if encoding == "utf-8" else BANK.removeprefix("\ufeff")).encode(encoding)
    export = read(content, table(BANK_COLUMNS, delimiter=";"), RowReader(GERMAN))
    assert [(one.invoice, one.amount, one.currency) for one in export.payments] == [
        ("16", Decimal("409.62"), "EUR"),
        ("10", Decimal("1851.34"), "EUR"),
    ]
    assert (reasons(export), export.passed_over) == ([], 2)


def test_the_file_names_its_delimiter():
    assert amounts(read("sep=;\r\nBill;Sum;Day;\r\na;1;2026-01-31;\r\n", table())) == [("a", Decimal(1))]


def test_where_no_row_has_all_columns_the_nearest_is_shown():
    export = read("Account;1\nBill;Total;Day\na;1;2026-01-31\n", table(delimiter=";"))
    assert reasons(export) == ["bank.csv: has no column Sum; it has Bill, Total, Day in line 2"]


def test_a_column_that_is_there_twice_is_named_by_its_number():
    form = table({"invoice": "Bill", "amount": "Sum#2", "paid_on": "Day"})
    assert amounts(read("Bill,Sum,Day,Sum\na,1,2026-01-31,2\n", form)) == [("a", Decimal(2))]


@pytest.mark.parametrize(
    "row", ["a,1,", ",1,2026-01-31", "a,,2026-01-31", "Total,1,2026-13-31", "a,x,Summe", "Sum,1,31.1."]
)  # fmt: skip
def test_a_payment_that_lacks_something_is_no_total(row: str):
    export = read(f"Bill,Sum,Day\n{row}\n", table())
    assert (export.payments, export.passed_over, len(export.unreadable)) == ([], 0, 1)


def test_a_row_with_a_key_is_never_passed_over():
    export = read("No,Bill,Sum,Day\n7,Total,,\n8\n", table(KEYED))
    assert [one.key for one in export.unreadable] == ["7", "8"]


def test_a_supplier_may_be_called_total():
    export = read("Bill,Sum,Day,Who\na,1,,Total\n", table(COLUMNS | {"supplier": "Who"}))
    assert (export.passed_over, len(export.unreadable)) == (0, 1)


# Days without a year


@pytest.mark.parametrize(
    ("name", "above", "day", "found"),
    [("bank-2026.csv", "", "31.01.", date(2026, 1, 31)),
     ("bank.csv", "from 01.01.2026 to 31.01.2026\n", "31.01.", date(2026, 1, 31)),
     ("bank-20260131.csv", "", "31.01.", date(2026, 1, 31))],
)  # fmt: skip
def test_the_year_stands_in_the_name_or_above_the_table(name: str, above: str, day: str, found: date):
    export = read(f"{above}Bill,Sum,Day\na,1,{day}\n", table(), RowReader(Writing(day_format="%d.%m.")), name)
    assert [one.paid_on for one in export.payments] == [found]


@pytest.mark.parametrize(
    ("name", "day"), [("bank.csv", "31.01."), ("2025-2026.csv", "31.01."), ("2026.csv", "29.02."), ("2026.csv", "x")]
)
def test_a_day_without_a_year_is_never_guessed(name: str, day: str):
    export = read(f"Bill,Sum,Day\na,1,{day}\n", table(), RowReader(Writing(day_format="%d.%m.")), name)
    assert (export.payments, len(export.unreadable)) == ([], 1)


DATEV = '"EXTF";700;21;"Buchungsstapel";13;20260131140440439;;"RE";"";"";1;2;{begins};4;{first};{last};"Jan";"";1\n'
DATEV_HEADER = "Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Konto;Belegdatum;Belegfeld 1\n"


@pytest.mark.parametrize(
    ("first", "last", "day", "found"),
    [("20260101", "20260131", "3101", date(2026, 1, 31)), ("20260101", "20260131", "101", date(2026, 1, 1)),
     ("20251201", "20260131", "3112", date(2025, 12, 31)), ("20251201", "20260131", "201", date(2026, 1, 2)),
     ("20250101", "20260131", "201", None), ("20260101", "20260131", "102", None),
     ("20260101", "20260131", "1310", None)],
)  # fmt: skip
def test_days_of_datev_are_of_its_period(first: str, last: str, day: str, found: date | None):
    """A spreadsheet drops the first zero: 101 is the first of January and never the tenth."""
    columns = {"invoice": "Belegfeld 1", "amount": "Umsatz (ohne Soll/Haben-Kz)", "paid_on": "Belegdatum"}
    text = DATEV.format(begins="20250701", first=first, last=last) + DATEV_HEADER + f"409,62;S;EUR;70001;{day};R16\n"
    export = read(text, table(columns, delimiter=";"), RowReader(Writing(",", "", "%d%m")))
    assert [one.paid_on for one in export.payments] == ([found] if found else [])
    assert len(export.payments) + len(export.unreadable) == 1


@given(st.lists(st.text("abc;,\n\"' 12.=€", max_size=12), max_size=8))
def test_a_header_among_anything_is_found_or_the_file_is_refused(above: list[str]):
    """What stands above costs no row, and adds none."""
    export = read("\n".join([*above, "Bill;Sum;Day", "a;1;2026-01-31", ""]), table(delimiter=";"))
    assert amounts(export) == [("a", Decimal(1))] or (amounts(export) == [] and len(export.unreadable) == 1)
