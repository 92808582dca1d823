"""What a benchmark finds: one line of the table each, and the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Aim:
    """What a ratio should be: at most, or at least, this much."""

    bound: float
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"

    def met(self, ratio: float) -> bool:
        return ratio >= self.bound if self.at_least else ratio <= self.bound


@dataclass(frozen=True)
class Line:
    """One figure beside its reference, both from the same run. Without an aim it is there to be looked at."""

    figure: str
    measured: str
    against: str
    reference: str
    ratio: float | None = None
    aim: Aim | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.3f}" if self.ratio < 1.2 else f"{self.ratio:.2f}"
        return (self.figure, self.measured, self.against, self.reference, ratio, str(self.aim or ""), self._verdict)

    @property
    def _verdict(self) -> str:
        if self.aim is None or self.ratio is None:
            return ""
        return "met" if self.aim.met(self.ratio) else "MISSED"


TITLES = ("figure", "measured", "against", "reference", "ratio", "aim", "")


def table(lines: Sequence[Line]) -> str:
    rows = [TITLES, *(line.cells for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def faster(figure: str, ours: float, against: str, theirs: float, factor: float) -> Line:
    """Seconds of ours against theirs, as how many times faster we are."""
    return Line(figure, seconds(ours), against, seconds(theirs), theirs / ours, Aim(factor, at_least=True))


def no_slower(figure: str, ours: float, against: str, theirs: float, factor: float = 1.0) -> Line:
    """Seconds of ours as a multiple of theirs."""
    return Line(figure, seconds(ours), against, seconds(theirs), ours / theirs, Aim(factor))


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"
