"""the shapes of answers and their changes, in SQL: a row for each place, and one for all changes"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from precoro_daemon.adapters.state.session import Session, Transactions
from precoro_daemon.mirror.rules.shapes import Place, Shape, ShapeChange

_SHAPES = "shape "
_DETAIL = " detail"
_CHANGES = "shape changes"


class SqlShapeBook:
    """Implements mirror.ports.shapes.ShapeBook, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def load(self) -> Mapping[Place, Shape]:
        rows = await self._transactions.rows("positions.read_under", (f"{_SHAPES}of %",))
        return {_place(row["name"]): msgspec.json.decode(row["value"], type=Shape) for row in rows}

    async def changes(self) -> Sequence[ShapeChange]:
        return await self._transactions.read(read_shape_changes)

    async def save(self, shapes: Mapping[Place, Shape], changes: Sequence[ShapeChange] | None) -> None:
        rows = [(_name(place), msgspec.json.encode(shape).decode()) for place, shape in shapes.items()]
        if changes is not None:
            rows.append((_CHANGES, msgspec.json.encode(changes).decode()))
        await self._transactions.run_many("positions.save", rows)


def read_shape_changes(session: Session) -> Sequence[ShapeChange]:
    row = session.row("positions.read", (_CHANGES,))
    return () if row is None else msgspec.json.decode(row["value"], type=list[ShapeChange])


def _name(place: Place) -> str:
    return f"{_SHAPES}of {place.collection}{_DETAIL * place.detail}"


def _place(name: str) -> Place:
    collection = name.removeprefix(f"{_SHAPES}of ")
    return Place(collection.removesuffix(_DETAIL), collection.endswith(_DETAIL))
