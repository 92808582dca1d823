"""Records and pages as a list would give them, and a walk through them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from precoro_daemon.mirror.ports.mirror import Committed, Mirror
from precoro_daemon.mirror.rules.cursors import Kind, Page, Scan
from precoro_daemon.mirror.rules.documents import Record, Rejected, read_record, reject

T0 = 1_750_000_000.0
"""When the tests begin, by the server's clock."""


def record(id_: int, *, wanted: bool = True, **fields: Any) -> Record:
    row = read_record(json.dumps({"id": id_, "idn": id_ + 1000, **fields}).encode())
    row.wanted = wanted
    return row


def rejected(note: str) -> Rejected:
    return reject(json.dumps({"note": note}).encode(), "its id is missing, not a whole number")


def paged(rows: Sequence[Record], *, size: int = 2, at: float = T0) -> list[Page]:
    """The pages of a quiet list; one second passes from page to page."""
    chunks = [rows[start : start + size] for start in range(0, len(rows), size)] or [rows]
    return [
        Page(number, chunk, total=len(rows), total_pages=len(chunks), server_time=at + number - 1)
        for number, chunk in enumerate(chunks, start=1)
    ]


async def scan(
    mirror: Mirror, rows: Sequence[Record], *, kind: Kind = "whole", collection: str = "invoices", at: float = T0
) -> Committed:
    """One pass through a quiet list, page by page; a whole pass that missed something is left open."""
    pages = paged(rows, at=at)
    committed = await mirror.commit_pages(Scan(collection, kind), pages[:1])
    for page in pages[1:]:
        committed = await mirror.commit_pages(committed.scan, [page])
    return committed


async def listed(mirror: Mirror, *rows: Record, collection: str = "invoices", at: float = T0) -> Committed:
    """One whole pass, closed; nothing is taken for vanished."""
    committed = await scan(mirror, rows, collection=collection, at=at)
    await mirror.close_scan(committed.scan, at=at)
    return committed
