"""a series of segments: which range of changes is written next, and when a series begins anew

A series is a snapshot of whole tables and, behind it, segments that each hold what changed in one range of the change
log. What is written next is settled, durably, before the first byte: killed at any step, the same range is written
under the same names again. A series begins anew, with another epoch, where the former cannot go on: its columns are
others, it grew old, or it is ahead of the state, which was restored from a backup then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

_RANGE_MANIFEST = re.compile(r"manifest/epoch=([0-9]{6})/([0-9]{20})-([0-9]{20})\.json")


@dataclass(frozen=True, slots=True)
class Range:
    """Changes behind `after` up to and including `upto`. after 0: everything that there is at `upto`"""

    epoch: int
    after: int
    upto: int

    @property
    def is_whole(self) -> bool:
        return self.after == 0

    @property
    def name(self) -> str:
        return f"epoch={self.epoch:06}/{self.after:020}-{self.upto:020}"


@dataclass(frozen=True, slots=True)
class Series:
    """What the state knows of a series.

    written   the range that is being written or was written last
    done      whether the position moved behind it
    schema    what its columns are
    begun_at  Unix seconds
    """

    written: Range
    done: bool
    schema: str
    begun_at: float

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))


def read_series(text: str | None) -> Series | None:
    if text is None:
        return None
    given = json.loads(text)
    return Series(Range(**given.pop("written")), **given)


def manifest_path(one: Range) -> str:
    return f"manifest/{one.name}.json"


def segment_path(table: str, one: Range) -> str:
    return f"{table}/{one.name}.parquet"


def read_range(path: str) -> Range | None:
    """The range that a manifest is of; None of any other file."""
    found = _RANGE_MANIFEST.fullmatch(path)
    return Range(*map(int, found.groups())) if found else None


def goes_on(series: Series | None, listed: Sequence[Range], schema: str, oldest: float) -> bool:
    """Whether the series can go on. `oldest`: one that was begun before this (Unix seconds) is too old"""
    if series is None or series.schema != schema:
        return False
    written = series.written
    if any(one.epoch > written.epoch or (one.epoch == written.epoch and one.upto > written.upto) for one in listed):
        return False
    return not series.done or series.begun_at >= oldest


def begin(series: Series | None, listed: Sequence[Range], schema: str, newest: int, now: float) -> Series:
    """A series with an epoch that nobody used, which begins with everything."""
    epochs = [one.epoch for one in listed] + ([series.written.epoch] if series else [])
    return Series(Range(max(epochs, default=0) + 1, 0, newest), done=False, schema=schema, begun_at=now)


def go_on(series: Series, end: int) -> Series:
    """The next range of a series whose last one is done."""
    written = Range(series.written.epoch, series.written.upto, end)
    return Series(written, done=False, schema=series.schema, begun_at=series.begun_at)
