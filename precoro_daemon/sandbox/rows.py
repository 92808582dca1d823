"""the rows of one collection in every list order, with a cache of filtered orders"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from precoro_daemon.sandbox.options import Order

REMEMBERED_FILTERS = 64


@dataclass(slots=True, eq=False)
class Row:
    """The compact facts of one record. Its JSON is drawn from them, and from `salt`, on request.

    Amounts are in cents, times in whole seconds since the epoch; 0 means none.
    """

    collection: str
    salt: int
    created: int
    id: int = 0
    idn: int = 0
    updated: int = 0
    approved: int = 0
    required: int = 0
    status: int = 2
    logic: int = 0
    total: int = 0
    paid: int = 0
    currency: str = "EUR"
    name: str = ""
    lines: int = 0
    files: int = 0
    enable: bool = True
    external_id: str | None = None
    log: str | None = None
    supplier: "Row | None" = None
    origin: "Row | None" = None
    """The record from which this one was made: a payment's invoice, or the purchase order of an invoice or
    receipt.
    """
    split_of: "Row | None" = None
    linked: "list[Row] | None" = None
    """The rows made from this one."""
    extra: dict[str, Any] | None = None
    """Fields that users or writes have set. They override those drawn from `salt`."""
    raw: bytes | None = None
    """The list entry as JSON, once it has been drawn."""

    def pick(self, shift: int, choices: int) -> int:
        """Returns a number below `choices`, which is always the same for this row."""
        return (self.salt >> shift) % choices

    def link(self, other: "Row") -> None:
        if self.linked is None:
            self.linked = []
        self.linked.append(other)

    def made(self, collection: str) -> "list[Row]":
        return [row for row in self.linked or () if row.collection == collection]


@dataclass(frozen=True)
class Selection:
    """The rows that a list call selects: a lower bound of `updated`, and a test. The same `key` selects the same
    rows.
    """

    key: str = ""
    since: int | None = None
    test: Callable[[Row], bool] | None = None

    @property
    def everything(self) -> bool:
        return self.since is None and self.test is None


class Shelf:
    """All rows of one collection, addressable by id and idn, listed in four orders."""

    def __init__(self) -> None:
        self.by_id: dict[int, Row] = {}
        self._by_idn: dict[int, Row] = {}
        self._created: list[int] = []
        self._updated: list[tuple[int, int]] = []
        self._remembered: OrderedDict[tuple[str, Order], list[int]] = OrderedDict()
        self.next_idn = 1

    def __len__(self) -> int:
        return len(self.by_id)

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self.by_id.values()))

    def by_idn(self, idn: int) -> Row | None:
        """Returns the row with this idn, or None. Of a split whose rows share an idn, it returns the parent."""
        return self._by_idn.get(idn)

    def everything(self) -> tuple[list[int], int]:
        """Returns all ids, oldest first, and their number. The caller must not change the list."""
        return self._created, len(self._created)

    def fill(self, rows: Sequence[Row]) -> None:
        """Adds many rows, which must be sorted by id."""
        for row in rows:
            self._index(row)
        self._created = [row.id for row in rows]
        self._updated = sorted((row.updated, row.id) for row in rows)

    def add(self, row: Row) -> None:
        self._index(row)
        insort(self._created, row.id)
        insort(self._updated, (row.updated, row.id))
        self._remembered.clear()

    def remove(self, row: Row) -> None:
        del self.by_id[row.id]
        if self._by_idn.get(row.idn) is row:
            del self._by_idn[row.idn]
        del self._created[bisect_left(self._created, row.id)]
        del self._updated[bisect_left(self._updated, (row.updated, row.id))]
        self._remembered.clear()

    def touch(self, row: Row, now: int) -> None:
        """Marks a row as changed now: its JSON is drawn again, and `updateDate` moves."""
        row.raw = None
        if row.id in self.by_id:
            del self._updated[bisect_left(self._updated, (row.updated, row.id))]
            insort(self._updated, (now, row.id))
        row.updated = now
        self._remembered.clear()

    def slice(self, wanted: Selection, order: Order, start: int, stop: int) -> tuple[list[Row], int]:
        """Returns the rows from `start` to `stop` of a selection in an order, and the selection's total."""
        ids = self._created if wanted.everything else self._selected(wanted, order)
        if wanted.everything and order.startswith("updated"):
            ids = self._selected(wanted, order)
        total = len(ids)
        newest_first = order.endswith("desc")
        first, last = (total - stop, total - start) if newest_first else (start, stop)
        part = ids[max(0, first) : max(0, last)]
        return [self.by_id[each] for each in (reversed(part) if newest_first else part)], total

    def _selected(self, wanted: Selection, order: Order) -> list[int]:
        """Returns the ascending ids of a selection. They are cached until a row changes, for the pages that
        follow.
        """
        place = (wanted.key, order)
        known = self._remembered.get(place)
        if known is None:
            known = self._remembered[place] = self._select(wanted, order)
            if len(self._remembered) > REMEMBERED_FILTERS:
                self._remembered.popitem(last=False)
        return known

    def _select(self, wanted: Selection, order: Order) -> list[int]:
        floor = 0 if wanted.since is None else bisect_left(self._updated, (wanted.since, 0))
        ids = [each for _, each in self._updated[floor:]]
        if order.startswith("created"):
            ids = sorted(ids) if floor else self._created
        test = wanted.test
        if test is None:
            return ids
        by_id = self.by_id
        return [each for each in ids if test(by_id[each])]

    def _index(self, row: Row) -> None:
        self.by_id[row.id] = row
        if row.idn:
            # The parent of a split is older than its parts, so it holds the idn they may share.
            self._by_idn.setdefault(row.idn, row)
            self.next_idn = max(self.next_idn, row.idn + 1)
