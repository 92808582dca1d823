"""Sentences and tables as lines: as wide as the screen, nothing lost, in colours where they can be seen."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.cli.lines import Blocks, Line, Sentence, cells, wrapped
from precoro_daemon.cli.running import show
from precoro_daemon.cli.sheets import Sheet


@given(st.text(st.sampled_from("ab -─é漢"), max_size=80), st.integers(2, 30))
def test_wrapped_text_fits_and_loses_nothing_but_blanks(text: str, columns: int) -> None:
    lines = list(wrapped(text, columns))
    assert max(map(cells, lines)) <= columns
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_line_ends_between_words_where_one_ends_there() -> None:
    assert list(wrapped("one two three\n\nfour", 8)) == ["one two", "three", "", "four"]
    assert list(wrapped("a precoro_daemon", 8)) == ["a", "precoro_", "daemon"]


def test_a_sentence_keeps_line_breaks_of_ours_and_writes_out_those_of_others() -> None:
    assert list(Sentence("\na\nb\n", "bold", indent=2).lines(9)) == [
        Line("", "bold"),
        Line(r"  a\nb", "bold"),
        Line("", "bold"),
    ]
    assert list(Sentence("$ a long command", whole=True).lines(5)) == [Line("$ a long command")]


def table() -> Sheet:
    sheet = Sheet(("name", "a\nday", "why"), right=("a\nday",), sentences="why")
    sheet.add("漢 one", "1,234", "because of what nobody could have known before")
    sheet.add("two", ["5", "6"], "")
    return sheet


def test_columns_stand_below_their_titles_and_what_is_left_is_for_sentences() -> None:
    assert [line.text for line in table().lines(50)] == [
        "",
        "             a",
        " name      day  why",
        f" {'─' * 48}",
        " 漢 one  1,234  because of what nobody could have",
        "                known before",
        " two         5",
        "             6",
        "",
    ]
    assert [line.text for line in table().lines(30)] == [
        "name    a",
        "漢 one  1,234",
        "    because of what nobody",
        "    could have known before",
        "two     5",
        "    6",
        "",
    ]
    assert [line.text for line in table().lines(12)][:4] == ["漢 one", "  a day", "  1,234", "  because of"]


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({"TERM": "xterm", "COLUMNS": "9"}, "\x1b[1;31mred and\x1b[0m\n\x1b[1;31mbold\x1b[0m\nnot ▲\n"),
        ({"TERM": "dumb"}, "red and bold\nnot ▲\n"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "red and bold\nnot ▲\n"),
    ],
)
def test_colours_are_shown_where_they_can_be_seen(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], shown: str
) -> None:
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal())
    show(Blocks(Sentence("red and bold", "bold red"), Sentence("not ▲")))
    assert sys.stdout.getvalue() == shown  # type: ignore[attr-defined]


def test_signs_that_an_old_terminal_has_not_are_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", newline="")
    monkeypatch.setattr(sys, "stdout", stream)
    show(Sentence("▲ é … ─"))
    stream.flush()
    assert stream.buffer.getvalue() == "! é . -\n".encode("latin-1")  # type: ignore[attr-defined]
