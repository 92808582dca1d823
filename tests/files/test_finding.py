"""Which records have files, where Precoro reads `modifiedSince` in another time zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from precoro_daemon.files.find_attachments import FindAttachments
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.reach import Skew
from tests.mirror.zones import BEGIN, OVERLAP, Zoned

pytestmark = pytest.mark.asyncio


@dataclass
class Book:
    """Of attachments: what of it this job needs."""

    at: tuple[float | None, float | None] = (None, None)
    noted: set[int] = field(default_factory=set)

    async def listing(self, _collection: str) -> tuple[float | None, float | None]:
        return self.at

    async def save_listing(self, _collection: str, at: float, whole_at: float) -> None:
        self.at = (at, whole_at)

    async def note_with_attachments(self, _collection: str, ids: Sequence[int]) -> int:
        fresh = set(ids) - self.noted
        self.noted |= fresh
        return len(fresh)


async def test_when_a_skew_is_found_everything_is_listed_anew_and_then_further_back() -> None:
    there, found = Zoned(-8), [Skew()]
    there.edit(1, "with a file")

    async def skew() -> Skew:
        return found[-1]

    book: Any = Book()
    job = FindAttachments(there, book, there, [COLLECTIONS["invoices"]], OVERLAP, 1e9, skew)
    for _ in range(2):
        await job.lap()
        there.time += 7200
        there.edit(2, "with a file")
    assert book.noted == {1}, "the scan of changes does not list it"
    found.append(Skew(8 * 3600.0, there.time, OVERLAP))
    await job.lap()
    assert book.noted == {1, 2}
    there.time += 7200
    there.edit(3, "with a file")
    await job.lap()
    assert book.noted == {1, 2, 3}
    assert there.asked == [None, BEGIN - OVERLAP, None, BEGIN + 2 * 7200 - OVERLAP - 8 * 3600]
