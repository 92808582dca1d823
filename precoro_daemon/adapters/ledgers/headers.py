"""the start of a file's table: the first row that has all columns, and the lines above it"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from precoro_daemon.adapters.ledgers.cells import Period
from precoro_daemon.adapters.spreadsheets.lines import Cell, Line, UnreadableFile, shown
from precoro_daemon.values.names import tidy

_MOST_LINES_ABOVE = 200
_DATEV = ("EXTF", "DTVF")
_DATEV_FROM, _DATEV_TO = 14, 15
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?:(?!\d)|(?=(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?!\d)))", re.ASCII)


class NoTable(UnreadableFile):
    """Raised when no row has all columns."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table found in a file.

    period  the days that the file's name and the lines above the header give, None if they are unclear
    """

    header: Sequence[str]
    lines: Iterator[Line]
    period: Period | None


def find_table(name: str, lines: Iterator[Line], columns: Collection[str]) -> Table:
    """Finds the first row with all columns. Raises UnreadableFile if there is none, or if a column is repeated."""
    above: list[Line] = []
    for line in lines:
        header = _titles(line.cells)
        missing, twice = _lacking(header, columns)
        if not missing:
            return Table(header, lines, _period(name, above))
        if missing == twice:
            raise UnreadableFile(
                f"has the column {', '.join(twice)} more than once; write {twice[0]}#1 for the first"
            )
        above.append(line)
        if len(above) == _MOST_LINES_ABOVE:
            break
    raise NoTable(_what_is_missing(above, columns))


def _lacking(header: Sequence[str], columns: Collection[str]) -> tuple[list[str], list[str]]:
    """Returns the columns that are missing, and those among them that occur more than once."""
    missing = [column for column in columns if column not in header]
    return missing, [column for column in missing if f"{column}#1" in header]


def _what_is_missing(above: Sequence[Line], columns: Collection[str]) -> str:
    """Returns a message that compares the columns with the most similar row."""
    nearest = max(above, key=lambda line: -len(_lacking(_titles(line.cells), columns)[0]), default=None)
    if nearest is None:
        return f"has no column {', '.join(columns)}; it has none"
    header = _titles(nearest.cells)
    where = f" in line {nearest.place}" if len(above) > 1 else ""
    return f"has no column {', '.join(_lacking(header, columns)[0])}; it has {', '.join(header)}{where}"


def _titles(cells: Sequence[Cell]) -> Sequence[str]:
    """Returns the titles without empty ones at the end. Repeated titles are numbered: Currency#1, Currency#2."""
    names = [tidy(shown(cell)) for cell in cells]
    while names and not names[-1]:
        names.pop()
    often = Counter(names)
    seen: Counter[str] = Counter()
    for place, name in enumerate(names):
        if name and often[name] > 1:
            seen[name] += 1
            names[place] = f"{name}#{seen[name]}"
    return names


def _period(name: str, above: Iterable[Line]) -> Period | None:
    texts = [name]
    for line in above:
        cells = [shown(cell) for cell in line.cells]
        if cells[0] in _DATEV and len(cells) > _DATEV_TO:
            return _datev_period(cells[_DATEV_FROM], cells[_DATEV_TO])
        texts += cells
    years = {int(year) for text in texts for year in _YEAR.findall(text)}
    if len(years) != 1:
        return None
    [year] = years
    return Period(date(year, 1, 1), date(year, 12, 31))


def _datev_period(first: str, last: str) -> Period | None:
    try:
        return Period(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        return None
