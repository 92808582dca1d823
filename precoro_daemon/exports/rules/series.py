"""a series of segments: the next range of changes, and when a new series begins

A series is a snapshot of whole tables, followed by segments that each hold the changes of one range of the change
log.
A range is planned durably before its first byte is written, so after a kill the same range is written under the same
names. A new series, with a new epoch, begins when the former cannot continue: its columns changed, it is too old, or
it is ahead of the state, which shows that the state was restored from a backup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

_RANGE_MANIFEST = re.compile(r"manifest/epoch=([0-9]{6})/([0-9]{20})-([0-9]{20})\.json")


@dataclass(frozen=True, slots=True)
class Range:
    """The changes after `after`, up to and including `upto`. `after` 0 stands for everything that exists at
    `upto`.
    """

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
    """What the state knows about a series.

    written   the range that is being written, or was written last
    done      whether the position has moved past it
    schema    the columns of its tables
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
    """Returns the range of a manifest, None for any other file."""
    found = _RANGE_MANIFEST.fullmatch(path)
    return Range(*map(int, found.groups())) if found else None


def goes_on(series: Series | None, listed: Sequence[Range], schema: str, oldest: float) -> bool:
    """Whether the series can continue. One that began before `oldest` (Unix seconds) is too old."""
    if series is None or series.schema != schema:
        return False
    written = series.written
    if any(one.epoch > written.epoch or (one.epoch == written.epoch and one.upto > written.upto) for one in listed):
        return False
    return not series.done or series.begun_at >= oldest


def begin(series: Series | None, listed: Sequence[Range], schema: str, newest: int, now: float) -> Series:
    """Returns a new series with an unused epoch, which starts with a snapshot of everything."""
    epochs = [one.epoch for one in listed] + ([series.written.epoch] if series else [])
    return Series(Range(max(epochs, default=0) + 1, 0, newest), done=False, schema=schema, begun_at=now)


def go_on(series: Series, end: int) -> Series:
    """Returns the series with its next range; the last one is done."""
    written = Range(series.written.epoch, series.written.upto, end)
    return Series(written, done=False, schema=series.schema, begun_at=series.begun_at)
