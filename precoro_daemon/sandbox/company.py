"""the company's data, and the changes that users make to it"""

from collections.abc import Mapping
from random import Random
from typing import Any

import orjson

from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.clock import SimulatedClock
from precoro_daemon.sandbox.details import Details
from precoro_daemon.sandbox.entries import Entries
from precoro_daemon.sandbox.history import found
from precoro_daemon.sandbox.options import SandboxOptions
from precoro_daemon.sandbox.refusals import MissingError
from precoro_daemon.sandbox.rows import Row, Shelf
from precoro_daemon.sandbox.shapes import Shapes
from precoro_daemon.sandbox.webhooks import CREATED, UPDATED, Webhooks

_FACTS = frozenset(
    {"status", "logic", "total", "paid", "currency", "lines", "files", "enable", "external_id", "log",
     "supplier", "origin", "required", "approved"}
)  # fmt: skip


class Company:
    """All collections of one company. Any change of a record's list entry or detail moves its updateDate."""

    def __init__(self, options: SandboxOptions, clock: SimulatedClock) -> None:
        self._clock = clock
        rows_by_collection, self._next_id = found(options, clock.start)
        self._random = Random(options.seed + 1)
        self.shelves = {path: Shelf() for path in schema.COLLECTIONS}
        for path, rows in rows_by_collection.items():
            self.shelves[path].fill(sorted(rows, key=lambda row: row.id))
        founders = {path: tuple(rows_by_collection.get(path, ())) for path in schema.COLLECTIONS}
        self.shapes = Shapes(loose=options.traps)
        self.entries = Entries(self.shapes, founders, options.record_bytes)
        self.details = Details(self.entries)
        self.webhooks = Webhooks(options.seed)

    def __getitem__(self, collection: str) -> Shelf:
        return self.shelves[collection]

    def counts(self) -> dict[str, int]:
        return {path: len(shelf) for path, shelf in self.shelves.items()}

    def draw_all(self) -> None:
        """Draws the JSON of all list entries now instead of at their first use."""
        for shelf in self.shelves.values():
            for row in shelf:
                self.entries.raw(row)

    def now(self) -> int:
        return int(self._clock.now())

    def row(self, collection: str, ident: int) -> Row:
        """Returns a record by its id. Raises MissingError."""
        row = self[collection].by_id.get(ident)
        if row is None:
            raise MissingError
        return row

    def find(self, collection: str, key: str) -> Row:
        """Returns the record that a path addresses, by id or idn depending on the collection. Raises MissingError."""
        shelf = self[collection]
        number = int(key) if key.isdecimal() else -1
        by_idn = schema.COLLECTIONS[collection].key == "idn"
        row = shelf.by_idn(number) if by_idn else shelf.by_id.get(number)
        if row is None:
            raise MissingError
        return row

    def create(self, collection: str, /, **facts: Any) -> Row:
        """Creates a record now and returns it.

        facts  fields of Row; all others become fields of the record's JSON
        """
        now = self.now()
        row = Row(collection, self._random.getrandbits(63), now, id=self.new_id(), updated=now)
        shelf = self[collection]
        if schema.COLLECTIONS[collection].key == "idn":
            row.idn, shelf.next_idn = shelf.next_idn, shelf.next_idn + 1
        row.name = str(facts.pop("name", ""))
        if schema.COLLECTIONS[collection].document:
            row.lines, row.required = 1 + row.pick(11, 6), now // 86_400 * 86_400 + 864_000
        _apply(row, facts)
        shelf.add(row)
        if row.origin is not None:
            self.attach(row, row.origin)
        self.webhooks.announce(row, CREATED)
        return row

    def new_id(self) -> int:
        ident, self._next_id = self._next_id, self._next_id + 1 + self._random.randrange(7)
        return ident

    def attach(self, row: Row, origin: Row) -> None:
        """Marks `row` as made from `origin`. Both records show it."""
        row.origin = origin
        origin.link(row)
        self.touch(row)
        self.touch(origin)

    def edit(self, row: Row, /, **facts: Any) -> None:
        """Saves a record as a user does. The record it was made from changes too if it shows a changed sum or
        payment.
        """
        had = row.total
        _apply(row, facts)
        self.touch(row)
        if row.origin is not None and (row.collection.endswith("ayments") or row.total != had):
            self.touch(row.origin)

    def touch(self, row: Row) -> None:
        self[row.collection].touch(row, self.now())
        self.webhooks.announce(row, UPDATED)

    def delete(self, row: Row) -> None:
        """Deletes a record with the records that cannot exist without it: payments, and the parts of a split."""
        for other in list(row.linked or ()):
            if other.split_of is row or other.collection.endswith("ayments"):
                self.delete(other)
        self[row.collection].remove(row)
        for owner in (row.origin, row.split_of):
            if owner is not None and owner.linked and row in owner.linked:
                owner.linked.remove(row)
        if row.origin is not None and row.origin.id in self[row.origin.collection].by_id:
            self.touch(row.origin)

    def truth(self, collection: str, *, details: bool = True) -> bytes:
        """Returns what the API would answer now, as JSON: `list` with the newest first, `details` by path key."""
        rows = sorted(self[collection], key=lambda row: -row.id)
        listed = b",".join(map(self.entries.raw, rows))
        offered = schema.COLLECTIONS[collection]
        keys: dict[int, None] = {}
        if details and offered.detail:
            # Rows of one split may share an idn; the path answers with the parent.
            keys = dict.fromkeys(row.idn if offered.key == "idn" else row.id for row in rows)
        texts = [b'"%d":%b' % (key, self.details.raw(self.find(collection, str(key)))) for key in keys]
        return b'{"list":[%b],"details":{%b}}' % (listed, b",".join(texts))

    def read_truth(self, collection: str) -> Mapping[str, Any]:
        """Returns `truth` as Python objects. Numbers are floats, so compare bytes where digits matter."""
        known: Mapping[str, Any] = orjson.loads(self.truth(collection))
        return known


def _apply(row: Row, facts: Mapping[str, Any]) -> None:
    extra = dict(row.extra or {})
    for key, value in facts.items():
        if key in _FACTS:
            setattr(row, key, value)
        else:
            extra[key] = value
    row.extra = extra or None
