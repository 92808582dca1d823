"""the company as it is at the start, drawn from a seed"""

from collections.abc import Callable
from random import Random

from precoro_daemon.sandbox.custom_fields import TYPES
from precoro_daemon.sandbox.names import numbered, words
from precoro_daemon.sandbox.options import SandboxOptions
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.schema import APPROVED, DENIED, PENDING

DAY = 86_400
HISTORY_DAYS = 730
FIRST_ID = 1_000_003
ID_STEPS = 7

RowsByCollection = dict[str, list[Row]]
"""Rows without ids, by collection path. Each list is in order of creation."""


class Founding:
    """Draws the rows of everything that documents refer to: users, places, suppliers, catalogue."""

    def __init__(self, options: SandboxOptions, start: float) -> None:
        self.options = options
        self.random = Random(options.seed)
        # Midnight, so that two sandboxes started on one day hold the same company.
        self.today = int(start) // DAY * DAY if options.start is None else int(start)
        self.rows_by_collection: RowsByCollection = {}

    def new_row(self, collection: str, created: int) -> Row:
        """Returns a new row with its own salt. Most rows have never been edited."""
        random = self.random
        updated = created
        if random.random() < 0.4:
            updated += int(random.random() ** 3 * max(0, self.today - created))
        return Row(collection, random.getrandbits(63), created, updated=updated)

    def days(self, count: int, since: int = HISTORY_DAYS) -> list[int]:
        """Returns `count` moments within the last `since` days, oldest first."""
        span = since * DAY
        return sorted(self.today - 60 - int(self.random.random() * span) for _ in range(count))

    def reference_data(self) -> RowsByCollection:
        for collection, complete in _COMPLETE.items():
            moments = self.days(self.options.rows(collection), HISTORY_DAYS * 2)
            rows = [self.new_row(collection, moment) for moment in moments]
            self.rows_by_collection[collection] = rows
            for index, row in enumerate(rows):
                complete(self, row, index)
        return self.rows_by_collection

    def choose(self, collection: str) -> Row | None:
        rows = self.rows_by_collection.get(collection)
        return rows[int(self.random.random() * len(rows))] if rows else None

    def currency(self) -> str:
        known = words("currencies")
        return str(known[min(int(self.random.random() ** 2 * len(known)), len(known) - 1)])


def _named(kind: str) -> Callable[[Founding, Row, int], None]:
    def complete(founding: Founding, row: Row, index: int) -> None:
        row.name = numbered(kind, index)
        row.enable = founding.random.random() > 0.06
        if founding.random.random() < 0.3:
            row.external_id = f"EXT-{row.pick(3, 90_000) + 10_000}"

    return complete


def _field(kind: str, collection: str) -> Callable[[Founding, Row, int], None]:
    def complete(founding: Founding, row: Row, index: int) -> None:
        _named(kind)(founding, row, index)
        types = TYPES[collection]
        row.extra = {"_type": types[index % len(types)]}

    return complete


def _supplier(founding: Founding, row: Row, index: int) -> None:
    _named("suppliers")(founding, row, index)
    row.status = founding.random.choices((APPROVED, PENDING, DENIED), (88, 8, 4))[0]
    row.approved = row.created + DAY if row.status == APPROVED else 0
    row.currency = founding.currency()


def _item(founding: Founding, row: Row, index: int) -> None:
    product, unit = words("products")[index % len(words("products"))]
    series = index // len(words("products"))
    row.name = f"{product} #{series + 1}" if series else product
    row.extra = {"unit": unit}
    row.supplier = founding.choose("suppliers")
    row.currency = row.supplier.currency if row.supplier else "EUR"
    row.total = int(10 ** (founding.random.random() * 4)) * 25 + row.pick(7, 100)
    row.enable = founding.random.random() > 0.05


def _contract(founding: Founding, row: Row, index: int) -> None:
    row.name = f"C-{2020 + index % 6}/{index + 1:03d}"
    row.supplier = founding.choose("suppliers")
    row.files = index % 3


def _transfer(founding: Founding, row: Row, _index: int) -> None:
    row.status = founding.random.choice((APPROVED, PENDING))
    row.origin = founding.choose("warehouses")


def _user(_founding: Founding, row: Row, index: int) -> None:
    first, last = words("people")[index % len(words("people"))]
    row.name = f"{first} {last}" if index < len(words("people")) else f"{first} {last} {index}"


def _numbers(_founding: Founding, row: Row, index: int) -> None:
    name, percent = words("taxes")[index % len(words("taxes"))]
    row.name = name if index < len(words("taxes")) else f"{name} ({index})"
    row.extra = {"percent": percent}


_COMPLETE: dict[str, Callable[[Founding, Row, int], None]] = {
    "users": _user,
    "locations": _named("locations"),
    "legalentities": _named("legalentities"),
    "warehouses": _named("warehouses"),
    "units": _named("units"),
    "taxes": _numbers,
    "paymentterms": _named("terms"),
    "budgets": _named("budgets"),
    "documentcustomfields": _field("document_fields", "documentcustomfields"),
    "itemcustomfields": _field("item_fields", "itemcustomfields"),
    "suppliercustomfields": _field("supplier_fields", "suppliercustomfields"),
    "suppliers": _supplier,
    "items": _item,
    "contracts": _contract,
    "stocktransfers": _transfer,
    "stock_takings": _transfer,
}


def number_ids(rows_by_collection: RowsByCollection, random: Random) -> int:
    """Assigns ids that rise with creation across the whole company, and returns the next free one."""
    everything = sorted((row.created, row.salt, row) for rows in rows_by_collection.values() for row in rows)
    free = FIRST_ID
    for _, _, row in everything:
        row.id = free
        free += 1 + int(random.random() * ID_STEPS)
    return free
