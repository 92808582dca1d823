"""the mirror in SQL"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from precoro_daemon.adapters.state import details
from precoro_daemon.adapters.state.commits import asked_cursor, close, commit_pages, cursor_of, missing, read_cursor
from precoro_daemon.adapters.state.mirror_facts import ASKED_SKEW, SKEW_KEY, count_quarantined, read_skew, skew_of
from precoro_daemon.adapters.state.record_counts import counted_anew
from precoro_daemon.adapters.state.rows import cells, to_quarantined, to_record, to_scan
from precoro_daemon.adapters.state.session import Session, Transactions
from precoro_daemon.errors import DaemonError
from precoro_daemon.mirror.ports.mirror import Age, Committed, Due, Known, Quarantined, Standing
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.absences import Missing
from precoro_daemon.mirror.rules.cursors import Cursor, Page, Scan
from precoro_daemon.mirror.rules.documents import Record
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.mirror.rules.reach import Dates, Skew, text_of


class SqlMirror:
    """Implements mirror.ports.Mirror, which has the contract.

    The cursors are cached, which saves each scan a trip to the state. Only this process writes them, and
    transactions run
    in the order of the calls. A change clears the cache when it begins and again when it ends, so a value that was
    read in
    between is never kept.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._standings: dict[str, Standing] = {}

    async def cursor(self, collection: str) -> Cursor:
        return await self._transactions.read(partial(read_cursor, collection=collection))

    async def anchor(self, collection: str) -> Cursor:
        async with self._changing(collection):
            return await self._transactions.write(partial(_anchor, collection=collection))

    async def skew(self) -> Skew:
        return await self._transactions.read(read_skew)

    async def save_skew(self, skew: Skew) -> None:
        self._standings.clear()
        await self._transactions.run("meta.write", (SKEW_KEY, json.dumps(cells(skew))))
        self._standings.clear()

    @asynccontextmanager
    async def _changing(self, collection: str) -> AsyncIterator[None]:
        self._standings.pop(collection, None)
        try:
            yield
        finally:
            self._standings.pop(collection, None)

    async def standing(self, collection: str) -> Standing:
        if (known := self._standings.get(collection)) is None:
            known = self._standings[collection] = await self._read_standing(collection)
        return known

    async def _read_standing(self, collection: str) -> Standing:
        scans, cursors, skews = await self._transactions.each(
            ("mirror.read_scans", (collection,)), asked_cursor(collection), ASKED_SKEW
        )
        by_kind = {row["kind"]: to_scan(row) for row in scans}
        cursor = cursor_of(collection, cursors)
        return Standing(cursor, skew_of(skews), by_kind.get("whole"), by_kind.get("changes"))

    async def commit_pages(self, scan: Scan, pages: Sequence[Page]) -> Committed:
        before = self._standings.get(scan.collection)
        async with self._changing(scan.collection):
            committed = await self._transactions.write(partial(commit_pages, scan=scan, pages=pages))
        # What the state does not keep of an open scan must not be known to the one that takes it up.
        if before is not None and committed.closed:
            self._standings[scan.collection] = before.without(scan.kind, committed.cursor)
        return committed

    async def missing(self, scan: Scan) -> tuple[Sequence[Missing], int]:
        return await self._transactions.read(partial(missing, scan=scan))

    async def close_scan(self, scan: Scan, vanished: Sequence[int] = (), *, at: float) -> None:
        def work(session: Session) -> None:
            _mark_vanished(session, scan, vanished, at)
            close(session, scan)

        async with self._changing(scan.collection):
            await self._transactions.write(work)

    async def mark_vanished(self, scan: Scan, ids: Sequence[int], *, at: float) -> None:
        await self._transactions.write(partial(_mark_vanished, scan=scan, ids=ids, at=at))

    async def refilter(self, collection: str, fingerprint: str, keeps: Callable[[Record, str | None], bool]) -> None:
        def work(session: Session) -> None:
            session.run("mirror.forget_scans", (collection,))
            session.run("mirror.save_cursor", cells(Cursor(collection, filter=fingerprint)))
            for record, detail in _stored(session, collection):
                wanted = keeps(record, detail)
                if wanted != record.wanted:
                    row = {"wanted": wanted, "ask": detail is None, "collection": collection, "id": record.id}
                    with counted_anew(session, collection, [record.id]):
                        session.run("mirror.want_record", row)
                    session.run("mirror.log_change_of_record", row | {"kind": "updated", "at": time.time()})

        async with self._changing(collection):
            await self._transactions.write(work)

    async def due_details(
        self,
        collections: Sequence[str],
        with_attachments: Sequence[str] = (),
        *,
        before: float,
        limit: int,
        age: Age | None = None,
    ) -> Sequence[Due]:
        work = partial(
            details.due,
            collections=collections,
            with_attachments=with_attachments,
            before=before,
            limit=limit,
            age=age,
        )
        return await self._transactions.read(work)

    async def count_due(
        self,
        collections: Sequence[str],
        with_attachments: Sequence[str] = (),
        *,
        before: float,
        age: Age | None = None,
    ) -> Mapping[str, int]:
        work = partial(
            details.count_due, collections=collections, with_attachments=with_attachments, before=before, age=age
        )
        return await self._transactions.read(work)

    async def known(self, collection: str, ids: Collection[int]) -> Sequence[Known]:
        return await self._transactions.read(partial(details.known, collection=collection, ids=ids))

    async def save_detail(self, due: Due, detail: Detail, *, at: float, patience: float = 0.0) -> None:
        await self._transactions.write(partial(details.save, due=due, detail=detail, at=at), patience=patience)

    async def unseen(self, scan: Scan, ids: Collection[int]) -> int:
        values = {"collection": scan.collection, "kind": scan.kind, "ids": json.dumps(list(ids))}
        return int(await self._transactions.value("mirror.count_unseen", values))

    async def live(self, collection: str) -> int:
        return int(await self._transactions.value("mirror.count_live", (collection,)))

    async def mark_gone(self, due: Due, *, at: float) -> None:
        await self._transactions.write(partial(details.mark_gone, due=due, at=at))

    async def count_quarantined(self) -> Mapping[tuple[str, Stage], int]:
        return await self._transactions.read(count_quarantined)

    async def quarantine(self, item: Quarantined) -> None:
        await self._transactions.run("mirror.quarantine", cells(item))

    async def quarantined(self, collection: str, key: str, stage: Stage) -> Quarantined | None:
        rows = await self._transactions.rows("mirror.quarantined", (collection, stage, key))
        return to_quarantined(rows[0]) if rows else None

    async def release(self, collection: str, key: str, stage: Stage) -> None:
        await self._transactions.run("mirror.release", (collection, stage, key))

    async def release_unseen(self, collection: str, stage: Stage, before: float) -> None:
        await self._transactions.run("mirror.release_unseen", (collection, stage, before))

    async def quarantine_detail(self, due: Due, error: DaemonError, *, at: float, stale: bool = False) -> None:
        item = Quarantined.failed(Stage.DETAIL, (due.collection, due.id), error, due.attempts + 1, at)
        await self._transactions.write(partial(details.quarantine, due=due, item=item, stale=stale))


def _anchor(session: Session, collection: str) -> Cursor:
    cursor = read_cursor(session, collection)
    if cursor.at is None or cursor.anchor is not None:
        return cursor
    rows = session.rows("mirror.newest_dates", (collection, text_of(cursor.at)))
    dates = Dates().with_rows((row["updated_at"] for row in rows), cursor.at)
    cursor = replace(cursor, anchor=dates.anchor)
    session.run("mirror.save_cursor", cells(cursor))
    return cursor


def _mark_vanished(session: Session, scan: Scan, ids: Sequence[int], at: float) -> None:
    for id_ in ids:
        details.vanish(session, scan.collection, id_, at, unless_changed_since=scan.started_at)


def _stored(session: Session, collection: str) -> Iterator[tuple[Record, str | None]]:
    """Yields every stored record with its detail, in small batches, so that records may be changed meanwhile."""
    after = -(2**63)
    while rows := session.rows("mirror.stored_records", (collection, after)):
        yield from ((to_record(row), row["detail"]) for row in rows)
        after = rows[-1]["id"]
