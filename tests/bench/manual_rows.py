"""What was measured, as the manual shows it: a table that is renewed benchmark by benchmark, and who ran it."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.bench import manual_picture
from tests.bench.figures import Line

PAGE = Path(__file__).parents[2] / "precoro_daemon" / "docs" / "benchmarks.md"
PICTURE = PAGE.with_suffix(".svg")

_MARKED = re.compile(r"(?<=<!-- measured -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)
_TITLES = ("benchmark", "figure", "measured", "beside it", "ratio", "aim", "run")
_RUN = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)
_PART_OF = "… "
"""Before a figure that goes on with the one above it."""


class Row(NamedTuple):
    """One line of the table. `aim`: with what came of it · `run`: the machine and the day"""

    benchmark: str
    figure: str
    measured: str
    beside: str
    ratio: str
    aim: str
    run: str


def rows_in(page: str) -> list[Row]:
    marked = _MARKED.search(page)
    text = marked[0] if marked else ""
    runs = dict(_RUN.findall(text))
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line] for line in lines]
    return [Row(benchmark.strip("`"), *others, run=runs[number]) for benchmark, *others, number in cells]


def with_rows(page: str, rows: Sequence[Row]) -> str:
    """The page with these rows in the place of those that it has."""
    runs = list(dict.fromkeys(row.run for row in rows))
    table = [_TITLES, ("---",) * len(_TITLES), *(_cells(row, runs) for row in rows)]
    numbered = "\n".join(f"{number}. {run}" for number, run in enumerate(runs, start=1))
    text = "\n".join(f"| {' | '.join(line)} |" for line in table) + (f"\n\n{numbered}" if runs else "")
    return _MARKED.sub(lambda _: text, page)


def _cells(row: Row, runs: Sequence[str]) -> Sequence[str]:
    return (f"`{row.benchmark}`", *row[1:-1], str(runs.index(row.run) + 1))


def renewed(rows: Sequence[Row], benchmark: str, lines: Sequence[Line], run: str, order: Sequence[str]) -> list[Row]:
    """Those of one benchmark are its lines now; the others stay, as long as their benchmark is in the order."""
    kept = [row for row in rows if row.benchmark != benchmark and row.benchmark in order]
    return sorted((*kept, *_rows(benchmark, lines, run)), key=lambda row: order.index(row.benchmark))


def _rows(benchmark: str, lines: Sequence[Line], run: str) -> Iterator[Row]:
    for line in lines:
        figure, measured, against, reference, ratio, aim, verdict = line.cells
        name = f"{_PART_OF}{figure.strip()}" if figure.startswith(" ") else figure
        aimed = f"{aim}: {verdict.lower()}" if verdict else aim
        beside = f"{against} {reference}".strip()
        yield Row(benchmark, *(cell.replace("|", "/") for cell in (name, measured, beside, ratio, aimed)), run)


def this_run() -> str:
    """The day, the machine and its load. To be asked before anything is pinned to a core."""
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}: {cores} cores of {_model()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load by others {load:.1f}"
    )


def _model() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def write(benchmark: str, lines: Sequence[Line], run: str, order: Sequence[str]) -> None:
    """Into the manual, and the picture anew."""
    page = PAGE.read_text("utf-8")
    rows = renewed(rows_in(page), benchmark, lines, run, order)
    PAGE.write_text(with_rows(page, rows), "utf-8")
    PICTURE.write_text(manual_picture.draw(bars_of(rows)), "utf-8")


def bars_of(rows: Sequence[Row]) -> list[manual_picture.Bar]:
    """Each figure that has an aim, as a share of what it may be."""
    return [
        manual_picture.Bar(_name(rows, number), float(row.ratio.replace(",", "")), *_aim(row.aim))
        for number, row in enumerate(rows)
        if row.aim and row.ratio
    ]


def _aim(text: str) -> tuple[float, bool]:
    sign, bound = text.partition(":")[0].split()
    return float(bound), sign == "≥"


def _name(rows: Sequence[Row], number: int) -> str:
    """With the figure that it goes on with."""
    row = rows[number]
    if not row.figure.startswith(_PART_OF):
        return row.figure
    above = next((one for one in reversed(rows[:number]) if not one.figure.startswith(_PART_OF)), row)
    return f"{above.figure.removesuffix(':')}: {row.figure.removeprefix(_PART_OF)}"
