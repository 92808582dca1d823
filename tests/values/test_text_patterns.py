"""Patterns that find an invoice's number: bounded, and never a guess between two."""

from __future__ import annotations

import pytest

from precoro_daemon.values.text_patterns import PatternError, compile_pattern, find_one


@pytest.mark.parametrize(
    ("pattern", "text", "number"),
    [(r"INV-\d{4,8}", "Rent; INV-20261, thank you", "INV-20261"),
     (r"(?i)invoice[ #]*(\d+)", "Invoice 6 / customer 4711", "6"),
     (r"(?:RE|INV)-?(\d{3,9})", "RE-1234 RE-1234", "1234"), (r"INV-\d{4}", "salary", "")],
)  # fmt: skip
def test_what_is_found(pattern: str, text: str, number: str):
    assert find_one(compile_pattern(pattern), text) == number


def test_two_numbers_are_no_number():
    with pytest.raises(PatternError, match="names several: 6, 7"):
        find_one(compile_pattern(r"INV(\d+)"), "INV6 and INV7")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [(r"(a+)+b", "repeats a group"), (r"(?:a|a)*b", "repeats a group"), (r"(a)\1", "refers back"),
     (r"(?<=a)b", "not taken here"),
     (r"a*b*c*d", "without an end"), (r"a{1,999}b+c+", "without an end"),
     (r"a?a?a?a?a?a?a?a?a?b", "more than 8 repeats"),
     (r"(a)(b)", "more than one group"), (r"\d*", "matches nothing"), (r"[", "no regular expression"),
     ("a" * 201, "longer")],
)  # fmt: skip
def test_a_pattern_that_could_take_long_or_find_anything_is_refused(pattern: str, why: str):
    with pytest.raises(PatternError, match=why):
        compile_pattern(pattern)
