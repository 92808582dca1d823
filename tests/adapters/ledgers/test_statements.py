"""Excel files and account statements: numbers as they are shown, and only what went out counts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precoro_daemon.adapters.ledgers.cells import Writing
from precoro_daemon.adapters.ledgers.exports import Export, Format, read_export
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.values.text_patterns import compile_pattern

COLUMNS = {"key": "No", "invoice": "Bill", "amount": "Sum", "paid_on": "Day"}
FORM = Format(COLUMNS, "utf-8-sig", ",")
READER = RowReader(invoice_pattern=compile_pattern(r"INV-\d{1,8}"))


def read(content: bytes, reader: RowReader = READER) -> Export:
    return read_export("file", content, FORM, reader)


def said(export: Export) -> list[tuple[str, str, str, str]]:
    return [
        (one.key, one.invoice, f"{one.amount} {one.currency}".strip(), str(one.paid_on)) for one in export.payments
    ]


def reasons(export: Export) -> str:
    return "\n".join(one.reason for one in export.unreadable)


# Excel


def book(*sheets: Sequence[Sequence[Any]], hidden: bool = False) -> bytes:
    made = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = made.active if number == 0 else made.create_sheet()
        assert sheet is not None
        for row in rows:
            sheet.append(list(row))
        if hidden and number:
            sheet.sheet_state = "hidden"
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


HEADER = ["No", "Bill", "Sum", "Day"]


def test_numbers_and_days_of_excel():
    rows = [["Report of January", None], HEADER, [1, "INV-1", 1851.34, datetime(2026, 1, 31)]]  # noqa: DTZ001 - Excel has no zones
    rows += [["2", 16, 0.1 + 0.2, "2026-01-31"], [3, "00016", "1,5", date(2026, 1, 31)], [None, "Total", 12, None]]
    export = read(book(rows), RowReader())
    assert said(export) == [("1", "INV-1", "1851.34", "2026-01-31"), ("2", "16", "0.3", "2026-01-31")]
    assert [(one.key, one.reason) for one in export.unreadable] == [
        ("3", "file:Sheet!5: amount: '1,5' is no plain number, such as 1234.50")
    ]


def test_what_excel_shows_with_zeros_in_front_has_them():
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append(HEADER)
    sheet.append([1, 16, 5, date(2026, 1, 31)])
    sheet["B2"].number_format = "00000"
    file = io.BytesIO()
    made.save(file)
    assert said(read(file.getvalue(), RowReader())) == [("1", "00016", "5", "2026-01-31")]


def test_every_sheet_that_is_shown_and_has_the_columns_is_read():
    sheets = [[["Notes"]], [HEADER, [1, "a", 1, "2026-01-31"]], [HEADER, [2, "b", 2, "2026-02-01"]]]
    assert [key for key, *_ in said(read(book(*sheets), RowReader()))] == ["1", "2"]
    export = read(book(*sheets, hidden=True), RowReader())
    assert "has no column No, Bill, Sum, Day; it has Notes" in reasons(export)


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_a_workbook_that_was_damaged_on_the_way_is_refused_or_read(place: int):
    content = bytearray(book([HEADER, [1, "INV-1", 5, "2026-01-31"]]))
    content[place * len(content) // 400] ^= 0x55
    export = read(bytes(content), RowReader())
    assert len(export.payments) + len(export.unreadable) == 1


def test_a_workbook_that_is_locked_by_a_password_is_refused():
    content = bytearray(book([HEADER, [1, "INV-1", 5, "2026-01-31"]]))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + flags] |= 1
            at = content.find(mark, at + 4)
    assert "is no Excel file that can be read" in reasons(read(bytes(content)))


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04", b"PK\x03\x04" + b"x" * 100, book([["a"]])[:-40], b"\xd0\xcf\x11\xe0abc"]
)
def test_a_file_that_is_no_workbook_is_refused(content: bytes):
    export = read(content)
    assert (export.payments, len(export.unreadable)) == ([], 1)


def test_a_workbook_that_would_burst_is_not_unpacked():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("xl/workbook.xml", "w") as part:
        for _ in range(520):
            part.write(bytes(2**20))
    assert "is larger than 512 MiB when it is unpacked" in reasons(read(file.getvalue()))


@settings(max_examples=30, deadline=None)
@given(st.decimals(-(10**11), 10**11, places=2), st.integers(0, 10**14))
def test_an_amount_that_somebody_typed_is_read_as_it_is_shown(amount: Decimal, number: int):
    rows = [HEADER, [number, "a", float(amount), date(2026, 1, 31)]]
    assert [(one.key, one.amount) for one in read(book(rows), RowReader()).payments] == [(str(number), amount)]


# camt.053

ENTRY = """<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd>{more}<Sts>{status}</Sts>
<BookgDt><Dt>2026-01-31</Dt></BookgDt><ValDt><Dt>2026-02-01</Dt></ValDt>
<AcctSvcrRef>{key}</AcctSvcrRef><NtryDtls>{parts}</NtryDtls><AddtlNtryInf>TRANSFER</AddtlNtryInf></Ntry>"""
PART = "<TxDtls><Refs>{refs}</Refs>{amount}<RmtInf>{about}</RmtInf></TxDtls>"


def entry(
    key: str, amount: str = "10.00", way: str = "DBIT", more: str = "", status: str = "BOOK", parts: str = ""
) -> str:
    return ENTRY.format(key=key, amount=amount, way=way, more=more, status=status, parts=parts)


def part(about: str = "", refs: str = "", amount: str = "") -> str:
    return PART.format(refs=refs, about=about, amount=f'<Amt Ccy="EUR">{amount}</Amt>' if amount else "")


def camt(*entries: str, version: str = "053.001.02") -> bytes:
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.{version}"
    inside = "".join(entries)
    statement = f"<BkToCstmrStmt><Stmt>{inside}</Stmt></BkToCstmrStmt>"
    return f'<?xml version="1.0"?><Document xmlns="{space}">{statement}</Document>'.encode()


@pytest.mark.parametrize("version", ["053.001.02", "053.001.04", "053.001.08", "053.001.13"])
def test_only_what_went_out_and_is_booked_counts(version: str):
    reversal = "<RvslInd>true</RvslInd>"
    export = read(
        camt(
            entry("A1", "409.62", parts=part("<Ustrd>INV-16 thanks</Ustrd>")),
            entry("A2", way="CRDT"),
            entry("A3", status="PDNG"),
            entry("A4", status="<Cd>BOOK</Cd>", parts=part("<Strd><CdtrRefInf><Ref>INV-7</Ref></CdtrRefInf></Strd>")),
            entry("A5", more=reversal),
            entry("A6", way="CRDT", more=reversal, parts=part("<Ustrd>INV-9</Ustrd>")),
            entry("A7", status="ODD"),
            entry("A8", way="X"),
            entry("A9", amount="1,50"),
            version=version,
        )
    )
    assert said(export) == [
        ("A1", "INV-16", "409.62 EUR", "2026-01-31"),
        ("A4", "INV-7", "10.00 EUR", "2026-01-31"),
        ("A6", "INV-9", "-10.00 EUR", "2026-01-31"),
    ]
    assert [one.key for one in export.unreadable] == ["A7", "A8", "A9"]
    assert export.passed_over == 3


def test_a_batch_counts_by_its_transactions_if_they_are_as_much_as_it_is():
    two = part("<Ustrd>INV-1</Ustrd>", amount="4.00") + part("<Ustrd>INV-2</Ustrd>", amount="6.00")
    own = part("<Ustrd>INV-3</Ustrd>", "<AcctSvcrRef>x</AcctSvcrRef>", "1") + part(
        "<Ustrd>INV-4</Ustrd>", "<AcctSvcrRef>y</AcctSvcrRef>", "9"
    )
    less = part("<Ustrd>INV-5</Ustrd>", amount="4.00") + part("<Ustrd>INV-6</Ustrd>", amount="5.00")
    export = read(camt(entry("A", parts=two), entry("B", parts=own), entry("C", parts=less), entry("D")))
    assert [(one.key, one.invoice, one.amount) for one in export.payments] == [
        ("A/1", "INV-1", 4), ("A/2", "INV-2", 6), ("x", "INV-3", 1), ("y", "INV-4", 9), ("D", "TRANSFER", 10),
    ]  # fmt: skip
    assert "its 2 transactions do not say how 10.00 is shared out" in reasons(export)


def test_what_an_entry_is_for_is_looked_for_in_all_it_says():
    refs = "<EndToEndId>INV-8</EndToEndId>"
    some = part("<Ustrd>thanks</Ustrd>", refs)
    none = part("", "<EndToEndId>NOTPROVIDED</EndToEndId>").replace("TRANSFER", "")
    export = read(camt(entry("A", parts=some), entry("NONREF", parts=none)))
    assert [one.invoice for one in export.payments] == ["INV-8", "TRANSFER"]
    assert export.payments[1].key not in ("", "NONREF")


@pytest.mark.parametrize(
    ("content", "why"),
    [(camt(entry("A"), version="052.001.02"), "is no account statement"), (camt(entry("A"))[:-30], "is no XML"),
     (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>', "is no XML"),
     (b"<?xml ?>", "no XML")],
)  # fmt: skip
def test_what_is_no_statement_is_refused(content: bytes, why: str):
    assert why in reasons(read(content))


@pytest.mark.parametrize("encoding", ["shift_jis", "gb2312", "utf-7", "hex", "idna", "no-such-encoding"])
def test_a_statement_in_an_encoding_that_cannot_be_read_is_refused(encoding: str):
    content = camt(entry("A")).replace(b"<?xml version", b"<?xml version").lstrip()
    said = f'<?xml version="1.0" encoding="{encoding}"?>'.encode()
    content = said + content[content.index(b"<Document") :]
    assert "encoding that cannot be read" in reasons(read(content))


# MT940

MT940 = """:20:STARTUMS
:25:10020030/1234567
:28C:5/1
:60F:C260131EUR1000,00
:61:2601310131D409,62NTRFNONREF//B1
:86:177?00UEBERWEISUNG?20INV-16 thanks?30BIC?31DE00?32Supplier
:61:2601310131C10,00NTRFNONREF
:86:166?00GUTSCHRIFT?20INV-17
:61:2602010201RD5,00NTRFINV-18
:86:free text
:62F:C260201EUR{closing}
-
"""


def test_what_went_out_of_an_account():
    export = read(MT940.format(closing="605,38").encode())
    assert [entry[1:] for entry in said(export)] == [
        ("INV-16", "409.62 EUR", "2026-01-31"),
        ("INV-18", "-5.00 EUR", "2026-02-01"),
    ]
    assert (reasons(export), export.passed_over) == ("", 1)
    assert len({one.key for one in export.payments}) == 2


def test_what_was_paid_in_and_taken_back_is_no_payment_and_hides_no_other():
    text = MT940.replace(":62F:", ":61:2602010201RC20,00NTRFINV-19\n:86:free text\n:62F:")
    export = read(text.format(closing="585,38").encode())
    assert [entry[1] for entry in said(export)] == ["INV-16", "INV-18"]
    assert (reasons(export), export.passed_over) == ("", 2)


def test_a_statement_that_does_not_add_up_is_not_believed():
    export = read(MT940.format(closing="700,00").encode())
    assert export.payments == []
    assert "does not add up: its entries lead to 605.38, but the closing balance is 700.00" in reasons(export)


def test_an_entry_that_stands_in_no_statement_is_not_left_out():
    export = read(f":61:2601310131D1,00NTRFX\n{MT940.format(closing='605,38')}".encode())
    assert "has 4 entries, of which 3 can be read" in reasons(export)


@pytest.mark.parametrize("line", [":61:garbage", ":61:2613990131D1,00NTRFX"])
def test_an_entry_that_cannot_be_read_is_not_left_out(line: str):
    export = read(MT940.format(closing="605,38").replace(":62F:", f"{line}\n:62F:").encode())
    assert (export.payments, len(export.unreadable)) == ([], 1)


@pytest.mark.parametrize(
    ("details", "invoice"),
    [("?20aaaaaaaaaaaaaaaaaaaa INV-16?21789 x", "aaaaaaaaaaaaaaaaaaaa … x"), ("?20for INV-16?21789 x", "INV-16"),
     ("?20aaaaaaaaaaaaaaaaaaaaaaaaaa ?21INV-16", "INV-16")],
)  # fmt: skip
def test_half_a_number_is_no_number(details: str, invoice: str):
    text = MT940.format(closing="605,38").replace("?20INV-16 thanks", details)
    assert read(text.encode()).payments[0].invoice == invoice


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"<?xml ?>", b"PK\x03\x04", b":20:a\n:25:b\n:61:", b"<Document><Ntry>"]),
)
def test_whatever_a_file_holds_it_is_refused_or_read(content: bytes, begins: bytes):
    export = read(begins + content)
    assert len(export.payments) + len(export.unreadable) + export.passed_over >= 1 or not content.strip()


def test_the_way_of_writing_of_texts_does_not_change_numbers():
    reader = RowReader(Writing(",", ".", "%d.%m.%Y", negate=True))
    assert [one.amount for one in read(camt(entry("A", "10.50")), reader).payments] == [Decimal("10.50")]
