"""pushes each changed record to a receiver, at least once, in the order of the changes"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import anyio

from precoro_daemon.errors import DaemonError, PushRefused, ReceiverGone
from precoro_daemon.exports.ports.feed import ExportFeed, RecordKey, Touched
from precoro_daemon.exports.ports.pushes import OpenReceiver, Push, PushBook, Receiver
from precoro_daemon.exports.ports.tables import Cells, Table
from precoro_daemon.exports.rules.pushing import (
    PATIENCE_S,
    Settled,
    delivered,
    is_of_the_record,
    label_of,
    new_push,
    read_settled,
    record_of,
    refused,
)
from precoro_daemon.mirror.rules.change_log import Move
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()

T = TypeVar("T")

_CHANGES_A_RANGE = 1_000
_PUSHES_A_SAVE = 200
"""The most pushes that are sent again after a kill."""

_RETRIES_A_TURN = 1_000

_LOG_KEPT_S = 30 * 86_400.0
_LOG_KEPT_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class _Due:
    """A push with its rows; no rows if the table no longer shows the record."""

    push: Push
    table: Table
    record: RecordKey
    rows: Sequence[Cells]


@dataclass(slots=True)
class _Tries:
    """The outcomes of pushes that were sent concurrently."""

    taken: list[Push] = field(default_factory=list)
    failed: list[tuple[Push, DaemonError]] = field(default_factory=list)


@dataclass(slots=True)
class PushRecords:
    """Pushes the rest of the change log to one receiver.

    A range of changes is planned durably, then pushed, and only then the position moves. A record occurs once in a
    range,
    so the pushes of a range are sent concurrently. A push that the receiver refuses waits on its own; the others
    go on.

    receiver       its fingerprint; a receiver that answered 410 Gone is tried again only when this changes
    give_up_after  seconds after which a refused push is dead
    in_flight      number of concurrent pushes
    """

    name: str
    feed: ExportFeed
    book: PushBook
    tables: Sequence[Table]
    receivers: Callable[[], OpenReceiver]
    clock: Clock
    receiver: str
    give_up_after: float
    in_flight: int = 16

    async def behind(self) -> bool:
        """Returns whether there is anything to push."""
        if await self.book.stopped(self.name) == self.receiver:
            return False
        if await self.feed.position(self.name) < await self.feed.newest():
            return True
        return bool(await self.book.due(self.name, self.clock.now(), 1))

    async def follow(self) -> int:
        """Pushes everything that is due and returns the number of pushes taken."""
        taken = 0
        async with self.receivers() as receiver:
            if await self.book.stopped(self.name):
                await self.book.stop(self.name, "")  # it is another one now
            taken += await self._try_again(receiver)
            while (settled := await self._next()) is not None:
                taken += await self._push(receiver, settled)
        return taken

    async def _try_again(self, receiver: Receiver) -> int:
        """Retries the waiting pushes that are due. One that fails again waits on its own and delays no other."""
        taken = 0
        for some in _parts(await self.book.due(self.name, self.clock.now(), _RETRIES_A_TURN)):
            dues = [due for table in self.tables for due in await self._waiting(table, some)]
            for push in {push.id for push in some} - {due.push.id for due in dues}:
                await self.book.drop(self.name, push)  # nobody wants its table any more
            tries = await self._send(receiver, dues)
            await self._settle(tries, others_taken=True, waited=PATIENCE_S)
            taken += len(tries.taken)
            if not tries.taken:
                break
        return taken

    async def _waiting(self, table: Table, pushes: Sequence[Push]) -> Sequence[_Due]:
        own = {push: record for push in pushes if (record := record_of(push, table)) is not None}
        found = await self.feed.rows(table, list(own.values())) if own else {}
        return [_Due(push, table, record, found.get(record, ())) for push, record in own.items()]

    async def _next(self) -> Settled | None:
        """Returns the range to push next, None at the end of the change log."""
        position = await self.feed.position(self.name)
        settled = read_settled(await self.feed.note(self.name))
        if settled is not None and settled.after == position:
            return settled
        end = await self.feed.end(position, _CHANGES_A_RANGE)
        if end == position:
            return None
        fresh = Settled(position, end, self.clock.now())
        await self.feed.save_note(self.name, fresh.text)
        return fresh

    async def _push(self, receiver: Receiver, settled: Settled) -> int:
        taken = 0
        async for dues in self._due(settled):
            left = dues
            while left:
                tries = await self._send(receiver, left)
                taken += len(tries.taken)
                waited = self.clock.now() - settled.at
                known = await self._settle(tries, others_taken=bool(tries.taken), waited=waited)
                left = [due for due in left if due.push.id not in known]
        await self.feed.move(Move(self.name, settled.after, settled.upto), settled.text)
        await self.book.forget(self.name, self.clock.now() - _LOG_KEPT_S, _LOG_KEPT_ROWS)
        _log.debug("records_pushed", export=self.name, after=settled.after, upto=settled.upto, pushes=taken)
        return taken

    async def _settle(self, tries: _Tries, *, others_taken: bool, waited: float = 0.0) -> set[str]:
        """Saves the outcomes and returns the ids of the pushes whose outcome is now known.

        Raises a failure that concerns the receiver and so all pushes.
        """
        now = self.clock.now()
        common: list[DaemonError] = []
        kept: list[Push] = []
        for push, failure in tries.failed:
            if is_of_the_record(failure, others_taken=others_taken, waited=waited):
                kept.append(refused(push, str(failure), now, self.give_up_after))
            else:
                common.append(failure)
        await self.book.save(self.name, [*tries.taken, *kept])
        if dead := [push.id for push in kept if push.state == "dead"]:
            _log.warning("pushes_abandoned", export=self.name, count=len(dead), first=dead[0])
        if any(isinstance(failure, ReceiverGone) for failure in common):
            await self.book.stop(self.name, self.receiver)
            _log.error("export_stopped", export=self.name, reason="the receiver answered 410 Gone")
        if common:
            raise max(common, key=lambda failure: isinstance(failure, ReceiverGone))
        return {push.id for push in (*tries.taken, *kept)}

    async def _due(self, settled: Settled) -> AsyncIterator[Sequence[_Due]]:
        """Yields the range's pushes in batches, without those whose outcome is known."""
        touched = await self.feed.touched(self.tables, settled.after, settled.upto)
        known = await self.book.known(self.name, settled.after, settled.upto)
        for some in _parts(touched):
            found = {table.name: await self._rows(table, some) for table in self.tables}
            dues = [due for each in some for due in self._of(each, found, settled.at)]
            yield [due for due in dues if due.push.id not in known]

    async def _rows(self, table: Table, touched: Sequence[Touched]) -> Mapping[RecordKey, Sequence[Cells]]:
        records = [each.record for each in touched if table.is_of_records or each.table == table.name]
        ours = [record for record in dict.fromkeys(records) if record[0] in table.collections]
        return await self.feed.rows(table, ours) if ours else {}

    def _of(
        self, each: Touched, found: Mapping[str, Mapping[RecordKey, Sequence[Cells]]], at: float
    ) -> Iterator[_Due]:
        """Yields the push for the table that shows the record, or a deletion for each table that may have shown
        it.
        """
        [table] = [table for table in self.tables if table.name == each.table]
        rows = found[table.name].get(each.record, ())
        others = [one for one in self.tables if one.is_of_records and one.collections == table.collections]
        if rows or not table.is_of_records or not any(each.record in found[one.name] for one in others):
            collection, id_ = each.record
            push = new_push(self.name, label_of(table, collection), id_, each.seq, at)
            yield _Due(push, table, each.record, rows)

    async def _send(self, receiver: Receiver, dues: Sequence[_Due]) -> _Tries:
        """Sends pushes concurrently.

        A sender stops at a failure that does not concern the record alone, so if the receiver takes nothing, all
        stop.
        """
        tries, left = _Tries(), iter(dues)

        async def send() -> None:
            for due in left:
                try:
                    await receiver.deliver(due.push, due.table, due.record, due.rows)
                except DaemonError as failure:
                    tries.failed.append((due.push, failure))
                    if not isinstance(failure, PushRefused):
                        return
                else:
                    tries.taken.append(delivered(due.push, self.clock.now()))

        async with anyio.create_task_group() as group:
            for _ in range(min(self.in_flight, len(dues))):
                group.start_soon(send, name=f"push {self.name}")
        return tries


def _parts(things: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), _PUSHES_A_SAVE):
        yield things[start : start + _PUSHES_A_SAVE]
