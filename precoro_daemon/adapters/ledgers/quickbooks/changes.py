"""changes of a company's payments since a given time, with deleted and voided ones

QuickBooks offers two interfaces. Change data capture returns whole changed documents and names deleted ones, but
reaches back only 30 days and returns at most 1,000 documents. A query returns any number of documents of any age,
page by page, but omits deleted ones. So a lap normally reads captured changes, which takes one call. The first lap
uses a query. A lap after a pause of a month or after a thousand changes uses both. A document that was deleted
more than 30 days before the request appears in no answer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from precoro_daemon.adapters.http.origin import Outgoing
from precoro_daemon.adapters.ledgers.answers import value_at
from precoro_daemon.adapters.ledgers.change_scan import FIRST_MOMENT, ChangeScan
from precoro_daemon.adapters.ledgers.quickbooks.company import CompanyClient, listed
from precoro_daemon.adapters.ledgers.quickbooks.payloads import moment_in, read_moment
from precoro_daemon.errors import LedgerMisfit, MalformedAnswer

_MOST_OBJECTS = 1000
"""The most documents in one answer, of a query and of change data capture."""

_CAPTURED_FOR = timedelta(days=29)
"""One day less than QuickBooks offers, because its clock and this machine's may differ."""

_LATE = timedelta(minutes=5)
"""The time to reach back: a change that is committed late shows the start of its transaction."""


START = FIRST_MOMENT.isoformat(timespec="seconds")
"""The position before the first payment."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some documents, oldest first, and the position to resume from after them."""

    rows: Sequence[Any]
    position: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Reads changes of payments.

    now  returns the current time, in UTC
    """

    company: CompanyClient
    now: Callable[[], datetime]

    async def since(self, position: str | None) -> AsyncGenerator[Piece, None]:
        if position is None:
            async for piece in self._queried(FIRST_MOMENT, None):
                yield piece
            return
        begin = _moment(position) - _LATE
        captured = max(begin, self.now() - _CAPTURED_FOR)
        rows, answered = await self._captured(captured)
        is_whole = captured == begin and len(rows) < _MOST_OBJECTS
        # The position does not advance until older changes are read too.
        yield Piece(rows, _text(answered) if is_whole else position)
        if not is_whole:
            async for piece in self._queried(begin, answered):
                yield piece

    async def _captured(self, since: datetime) -> tuple[Sequence[Any], datetime]:
        target = self.company.target("cdc", entities="BillPayment", changedSince=since.isoformat(timespec="seconds"))
        tree = await self.company.client.ask("read", Outgoing("GET", target))
        rows = [row for response in _responses(tree) for row in listed(response, "BillPayment")]
        return sorted(rows, key=lambda row: moment_in(row) or FIRST_MOMENT), _time_of(tree)

    async def _queried(self, begin: datetime, answered: datetime | None) -> AsyncGenerator[Piece, None]:
        """Reads changes by query, page by page.

        answered  the server's time when the reading began; None if it begins with this query
        """
        scan = ChangeScan(begin)
        while True:
            since = scan.since.isoformat(timespec="seconds")
            clauses = (
                f"where MetaData.LastUpdatedTime >= '{since}' orderby MetaData.LastUpdatedTime"
                f" startposition {scan.page * _MOST_OBJECTS + 1} maxresults {_MOST_OBJECTS}"
            )
            rows, tree = await self.company.query("read", "BillPayment", clauses)
            answered = answered or _time_of(tree)
            scan.follow([moment for row in rows if (moment := moment_in(row)) is not None])
            is_last = len(rows) < _MOST_OBJECTS
            yield Piece(rows, _text(answered if is_last else min(scan.safe, answered)))
            if is_last:
                return
            scan.turn()


def _responses(tree: Any) -> Iterator[Mapping[str, Any]]:
    captured = tree.get("CDCResponse") if isinstance(tree, Mapping) else None
    for one in captured if isinstance(captured, list) else [None]:
        responses = one.get("QueryResponse") if isinstance(one, Mapping) else None
        if not isinstance(responses, list) or any(value_at(each, "Fault") for each in responses if "Fault" in each):
            raise MalformedAnswer("the answer has no list of changes")
        yield from responses


def _time_of(tree: Any) -> datetime:
    moment = read_moment(value_at(tree, "time"))
    if moment is None:
        raise MalformedAnswer("the answer does not say when it was given")
    return moment


def _moment(position: str) -> datetime:
    moment = read_moment(position)
    if moment is None:
        raise LedgerMisfit(f"read: {position!r} is no position in QuickBooks' payments")
    return moment


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
