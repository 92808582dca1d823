"""The largest memory a mirror run ever has, and that it does not grow with the list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Aim, Line
from tests.bench.mirror import company, mirror_invoices
from tests.bench.serving import serving

_SIZES = (20_000, 100_000, 200_000)
_MOST_MB = 120

_LONG = 1_000_000
_MOST_OF_LONG_MB = 110


def peak(folder: Path) -> Iterator[Line]:
    peaks = {}
    for size in _SIZES:
        with serving(**company(size)) as server:
            peaks[size] = mirror_invoices(folder / str(size), server).peak_mb
        print(f"  {size:,}: {peaks[size]:.1f} MB", flush=True)
    for size, megabytes in peaks.items():
        yield _allowed(size, megabytes, _MOST_MB)
    few, many = peaks[_SIZES[0]], peaks[_SIZES[-1]]
    # Two runs of the same size differ by a few percent: by which pages happen to be in flight together.
    yield Line(
        "  growth, ten times the list", f"{many:.0f} MB", "20,000 records", f"{few:.0f} MB", many / few, Aim(1.1)
    )


def million(folder: Path) -> Iterator[Line]:
    """A list as long as any company has."""
    with serving(**company(_LONG)) as server:
        yield _allowed(_LONG, mirror_invoices(folder / "long", server).peak_mb, _MOST_OF_LONG_MB)


def _allowed(size: int, megabytes: float, most: int) -> Line:
    figure = f"peak RSS, {size:,} records"
    return Line(figure, f"{megabytes:.0f} MB", "allowed", f"{most} MB", megabytes / most, Aim(1.0))
