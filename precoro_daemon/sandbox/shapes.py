"""the loose shapes of the live API's JSON; each row keeps its own for good"""

import re
from decimal import Decimal
from typing import Any

import orjson

from precoro_daemon.sandbox.clock import stamp
from precoro_daemon.sandbox.rows import Row

CENTS = 100
_STYLES = (0, 1, 0, 1, 0, 1, 0, 1, 2)
Json = dict[str, Any]


def exact(cents: int) -> str:
    """Returns an amount as text with two decimals, without a binary float in between."""
    if cents < 0:
        return f"-{exact(-cents)}"
    return f"{cents // CENTS}.{cents % CENTS:02d}"


def dumps(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def cents(text: str) -> int | None:
    """Returns the cents of a written amount, or None if it is no amount or finer than a cent."""
    if not re.fullmatch(r"-?\d{1,15}(\.\d{1,12})?", text):
        return None
    scaled = Decimal(text) * CENTS
    return int(scaled) if scaled == int(scaled) else None


class Shapes:
    """Writes values loosely, as the live API does, or always in one plain way if `loose` is off."""

    def __init__(self, *, loose: bool) -> None:
        self.loose = loose
        self._references: dict[tuple[int, bool], orjson.Fragment] = {}

    def money(self, amount: int, row: Row, shift: int) -> object:
        """Returns an amount as a number with all its digits, or as the same digits in a string."""
        text = exact(amount)
        return text if self.loose and (row.salt >> shift) % 3 == 0 else orjson.Fragment(text)

    def ident(self, value: int, row: Row, shift: int) -> int | str:
        return str(value) if self.loose and row.pick(shift, 3) == 0 else value

    def nothing(self, row: Row, shift: int) -> object:
        """Returns a value for an object that does not exist."""
        return ([], "", None)[row.pick(shift, 3)] if self.loose else None

    def nested(self, rows: list[Json]) -> object:
        """Returns a nested collection. In the loose shapes an empty one has no envelope."""
        return {"data": rows} if rows or not self.loose else []

    def lines(self, rows: list[Json], row: Row) -> object:
        """Returns document lines: mostly a list, in some documents a dict by id, with or without an envelope."""
        if not self.loose or not rows:
            return self.nested(rows)
        if row.pick(19, 7) == 0:
            return {"data": {str(line["id"]): line for line in rows}}
        if row.pick(19, 23) == 0:
            return {str(line["id"]): line for line in rows}
        return {"data": rows}

    def time(self, when: int, row: Row, shift: int) -> str | None:
        if not when:
            return None
        # Without offset means UTC; every ninth row carries the offset of the user's own zone.
        return stamp(when, _STYLES[(row.salt >> shift) % 9] if self.loose else 0)

    def reference(self, other: Row | None, row: Row, shift: int) -> object:
        """Returns a short object that names another record."""
        if other is None:
            return self.nothing(row, shift)
        text = self.loose and (row.salt >> shift) % 4 == 0
        known = self._references.get((other.id, text))
        if known is None:
            known = orjson.Fragment(orjson.dumps(_reference(other, str(other.id) if text else other.id)))
            self._references[other.id, text] = known
        return known


def _reference(other: Row, ident: int | str) -> Json:
    if other.collection == "users":
        first, _, last = other.name.partition(" ")
        email = f"user{other.id}@sandbox.example"
        return {"id": ident, "firstname": first, "lastname": last, "email": email}
    if other.idn:
        return {"id": ident, "idn": other.idn, "customName": f"{other.collection}#{other.idn}"}
    # The name it had at its creation: a later rename would change documents whose
    # updateDate does not move, which no client could ever notice.
    return {"id": ident, "name": other.name}
