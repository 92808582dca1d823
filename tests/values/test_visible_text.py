"""What acts on a terminal or hides in a text is written out; all else stays as it is."""

from __future__ import annotations

import json
import sys
import unicodedata

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.values.visible_text import visible, visible_lines

SIGNS_THAT_SHOW = {*range(0x0600, 0x0606), 0x06DD, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD}
"""Of the category of formats: signs before Arabic and Kaithi numbers."""

UNFIT = ("Cc", "Cf", "Cs", "Zl", "Zp")


def test_every_sign_of_an_unfit_category_is_written_out_and_nothing_of_the_others_but_blanks() -> None:
    written = {code for code in range(sys.maxunicode + 1) if visible(chr(code)) != chr(code)}
    unfit = {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in UNFIT}
    assert unfit - written == SIGNS_THAT_SHOW
    beyond = {code for code in written - unfit if unicodedata.category(chr(code)) != "Cn"}
    assert {0x2800, 0x3164, 0x115F, 0x034F} <= beyond
    assert all(unicodedata.category(chr(code)) in ("Mn", "Lo", "So", "Cf") for code in beyond)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\u001b[31mred"),
        ("two\r\nlines\there", r"two\r\nlines\there"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("\U000e0041", r"\udb40\udc41"),
        ("half \ud800", r"half \ud800"),
        (
            "Müller & Söhne, 1\u00a0000 €, 日本, 👍\ufe0f, C:\\new",
            "Müller & Söhne, 1\u00a0000 €, 日本, 👍\ufe0f, C:\\new",
        ),
    ],
)
def test_as_json_writes_it(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible_lines(text) == shown.replace(r"\n", "\n" if "\n" in text else r"\n")


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.recursive(TEXTS | st.none() | st.integers(-9, 9), lambda inner: st.dictionaries(TEXTS, inner, max_size=3)))
def test_json_means_the_same_afterwards(document: object) -> None:
    assert json.loads(visible(orjson.dumps(document).decode())) == document
    indented = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
    assert json.loads(visible_lines(indented)) == document


@given(st.text(max_size=40))
def test_what_was_made_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)
