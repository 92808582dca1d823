"""The manual's table of what was measured has the shape that `make bench` writes, and the picture is of it."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from tests.bench.figures import Aim, Line
from tests.bench.manual_picture import Bar, draw
from tests.bench.manual_rows import PAGE, PICTURE, Row, bars_of, renewed, rows_in, this_run, with_rows

_EMPTY = "# Benchmarks\n\n<!-- measured -->\n\n\n\n<!-- end -->\n\nMore.\n"
_ORDER = ("mirror", "files", "start")
_BEFORE, _NOW = "2026-01-01: 2 cores of A", "2026-02-02: 4 cores of B"


def test_the_manual_has_the_table_and_the_picture_that_the_code_makes() -> None:
    page = PAGE.read_text("utf-8")
    rows = rows_in(page)
    assert rows
    assert with_rows(page, rows) == page
    assert PICTURE.read_text("utf-8") == draw(bars_of(rows))


def test_the_manual_says_on_which_machine_and_day_each_row_was_measured() -> None:
    shape = r"\d{4}-\d\d-\d\d: \d+ cores of .+, Linux .+, Python 3\.\d+\.\d+, load by others \d+\.\d"
    for run in {row.run for row in rows_in(PAGE.read_text("utf-8"))} | {this_run()}:
        assert re.fullmatch(shape, run), run


def test_one_benchmark_renews_its_rows_and_no_others() -> None:
    rows = renewed([], "start", [_line("first request", 0.5)], _BEFORE, _ORDER)
    rows = renewed(rows, "mirror", [_line("pages", 1.5), _line("  times faster", 3, least=2)], _BEFORE, _ORDER)
    rows = renewed(rows, "mirror", [_line("pages", 0.9)], _NOW, _ORDER)
    assert [(row.benchmark, row.figure, row.ratio, row.run) for row in rows] == [
        ("mirror", "pages", "0.900", _NOW),
        ("start", "first request", "0.500", _BEFORE),
    ]


def test_a_benchmark_that_there_is_no_longer_leaves_the_table() -> None:
    rows = renewed([], "files", [_line("old", 1)], _BEFORE, _ORDER)
    assert [row.benchmark for row in renewed(rows, "start", [_line("new", 1)], _NOW, ("start",))] == ["start"]


def test_a_page_is_read_as_it_was_written() -> None:
    rows = renewed([], "mirror", [_line("a | b", 1.5), _line("  times faster", 3, least=2)], _BEFORE, _ORDER)
    rows = renewed(rows, "files", [Line("500 files", "300 MB/s", "", "")], _NOW, _ORDER)
    page = with_rows(_EMPTY, rows)
    assert page.startswith("# Benchmarks\n\n<!-- measured -->\n\n| benchmark | figure |")
    assert page.endswith(f"2. {_NOW}\n\n<!-- end -->\n\nMore.\n")
    assert rows_in(page) == rows
    assert with_rows(page, rows[:1]).count("\n| `") == 1


@pytest.mark.parametrize(
    ("bar", "share"),
    [
        (Bar("", 0.8, 1.0, at_least=False), 0.8),
        (Bar("", 4.0, 2.0, at_least=True), 0.5),
        (Bar("", 0, 2, at_least=True), 2.0),
        (Bar("", 0, 0, at_least=False), 0.0),
        (Bar("", 3, 0, at_least=False), 2.0),
    ],
)
def test_a_bar_is_a_share_of_what_the_figure_may_be(bar: Bar, share: float) -> None:
    assert bar.share == share


def test_the_picture_has_each_figure_with_an_aim_and_its_text_as_text() -> None:
    lines = [_line("pages < 1", 0.5), _line("  times faster", 1, least=2), Line("to look at", "1 s", "", "", 2.0)]
    rows = renewed([], "mirror", lines, _NOW, _ORDER)
    drawn = ET.fromstring(draw(bars_of(rows)))
    texts = [element.text for element in drawn.iter() if element.tag.endswith("text")]
    kinds = [element.get("class") for element in drawn.iter() if element.tag.endswith("rect")]
    assert texts == ["pages < 1", "0.5", "pages < 1: times faster", "1", "aim; shorter is better"]
    assert kinds == ["met", "missed"]


def _line(figure: str, ratio: float, least: float | None = None) -> Line:
    aim = Aim(1.0) if least is None else Aim(least, at_least=True)
    return Line(figure, "1 s", "another", "2 s", ratio, aim)


def test_a_row_without_an_aim_is_no_bar() -> None:
    assert bars_of([Row("mirror", "size", "1 MB", "", "2.00", "", _NOW)]) == []
