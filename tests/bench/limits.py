"""Under the documented limits: how close the calls come to what the limits allow, and that none is refused.

The sandbox's time passes faster, so a delay of a millisecond counts for as many of its milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.figures import Aim, Line
from tests.bench.serving import serving
from tests.bench.subject import mirror, write_config

_PER_HOUR = 1_500
_HOUR = 3_600.0
_MOST = Aim(1.03)
_WITHOUT_RESERVES = dict.fromkeys(("payments", "deliveries", "lists", "details", "files", "census"), 0)


@dataclass(frozen=True)
class _Rehearsal:
    """So many invoices, listed and detailed; the latency is in the sandbox's seconds."""

    invoices: int
    scale: int
    latency: float = 0.0

    def __str__(self) -> str:
        slow = f", {self.latency:g} s an answer" if self.latency else ""
        return f"{self.invoices:,} details at scale {self.scale}{slow}"


_REHEARSALS = (_Rehearsal(600, 20), _Rehearsal(600, 20, latency=3.0), _Rehearsal(1_700, 60), _Rehearsal(120, 4))


def pace(folder: Path) -> Iterator[Line]:
    for number, rehearsal in enumerate(_REHEARSALS):
        yield from _rehearse(rehearsal, folder / str(number))


def _rehearse(rehearsal: _Rehearsal, folder: Path) -> Iterator[Line]:
    counts = {"invoices": rehearsal.invoices, "payments": 0}
    latency = rehearsal.latency / rehearsal.scale  # the sandbox takes real seconds
    with serving(counts=counts, time_scale=rehearsal.scale, latency=latency, warm=True) as server:
        sections: Mapping[str, Mapping[str, Any]] = {
            "limits": {"time_scale": rehearsal.scale},
            "limits.reserve": _WITHOUT_RESERVES,
            "mirror_collections": {"collections": ["invoices"]},
        }
        mirror(write_config(folder, server, sections), server)
        journal = server.ask("/journal?last=100000")
    arrivals = sorted(entry["arrived"] for entry in journal["entries"])
    took = arrivals[-1] - arrivals[0]
    least = _least(len(arrivals))
    yield Line(
        str(rehearsal), f"{took:,.1f} s", f"least for {len(arrivals):,} calls", f"{least:,.0f} s", took / least, _MOST
    )
    yield Line(
        "  refused", str(sum(journal["refusals"].values())), "allowed", "0", sum(journal["refusals"].values()), Aim(0)
    )


def _least(calls: int) -> float:
    """Seconds from the first call to the last at one a second (60 a minute says the same) and 1,500 an hour."""
    hours, rest = divmod(calls - 1, _PER_HOUR)
    return hours * _HOUR + rest
