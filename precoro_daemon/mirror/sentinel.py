"""watches the shapes of answers by sampling, and logs each change once"""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from precoro_daemon.mirror.ports.shapes import ShapeBook
from precoro_daemon.mirror.rules.collections import DOCUMENTS, STATUSES, Collection
from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.mirror.rules.deliveries import COLLECTION_BY_TYPE
from precoro_daemon.mirror.rules.documents import Record
from precoro_daemon.mirror.rules.shapes import (
    Found,
    Place,
    Shape,
    ShapeChange,
    lacks,
    mended,
    see,
    see_values,
    shown_by,
    values_of,
    with_change,
)
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger
from precoro_daemon.values.json_reading import whole_number

_log = get_logger()

_OF_A_FIRST_PAGE = 16
_OF_AN_UNKNOWN_PAGE = 40
_PAGES_BETWEEN = 8
"""Pages between two of which a row is sampled once the shape is known. Before that the rows of each page are seen,
and so are those of scans of changes, which are few.
"""

_DETAILS_AT_FIRST = 50
_DETAILS_BETWEEN = 4
"""Details between two that are sampled, because each takes half a millisecond. The first details of a process are
seen, and all on which money depends.
"""

_ROWS_REMEMBERED = 2_000
"""Versions of seen rows that are remembered: each scan lists some rows again."""

_NAMED_STATUSES = frozenset(STATUSES.values())
_STATUS = "status"
_WEBHOOKS = "webhooks"
_WEBHOOK_TYPE = "type"

_LOGIC_TYPES = frozenset({0, 1, 2, 5})
_NAMED_VALUES: Mapping[Place, Mapping[str, Names[int]]] = {
    **{Place(name): {_STATUS: _NAMED_STATUSES} for name in (*DOCUMENTS, "payments", "expense_payments")},
    **{Place(name, detail=True): {_STATUS: _NAMED_STATUSES} for name in DOCUMENTS},
    Place("invoices"): {_STATUS: _NAMED_STATUSES, "logicType": _LOGIC_TYPES},
    Place("invoices", detail=True): {
        _STATUS: _NAMED_STATUSES,
        "logicType": _LOGIC_TYPES,
        "payments[].status": _NAMED_STATUSES,
    },
}
"""Numbers that have a name, by field; any other value there is news."""

_decode = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Sentinel:
    """Implements `ports.shapes.ShapeWatch`.

    vital  fields on which money depends, by place
    """

    book: ShapeBook
    clock: Clock
    vital: Mapping[Place, Names[str]] = field(default_factory=dict)
    _shapes: dict[Place, Shape] = field(default_factory=dict, init=False)
    _changes: Sequence[ShapeChange] = field(default=(), init=False)
    _unsaved: set[Place] = field(default_factory=set, init=False)
    _seen: dict[bytes, None] = field(default_factory=dict, init=False)
    _details: dict[str, int] = field(default_factory=dict, init=False)

    async def load(self) -> None:
        self._shapes = dict(await self.book.load())
        self._changes = await self.book.changes()

    async def listed(self, collection: Collection, pages: Sequence[Page]) -> None:
        place = Place(collection.name)
        news = self._see_all(place, self._sample(place, pages))
        numbers = {record.status for page in pages for record in page.records}
        statuses = [number for number in numbers if number is not None]
        if _STATUS in _NAMED_VALUES.get(place, {}):
            news |= self._note(place, see_values(self._shape(place), _STATUS, statuses, _NAMED_STATUSES))
        if news:
            await self._save(news=True)

    async def detailed(self, collection: Collection, raw: str) -> None:
        place = Place(collection.name, detail=True)
        count = self._details[collection.name] = self._details.get(collection.name, 0) + 1
        if count > _DETAILS_AT_FIRST and count % _DETAILS_BETWEEN and place not in self.vital:
            return
        if self._see_all(place, [raw]):
            await self._save(news=True)

    def lacks(self, collection: Collection, raw: str, accepted: Names[str] = ()) -> Sequence[str]:
        place = Place(collection.name, detail=True)
        document, shape = _document(raw), self._shapes.get(place)
        if document is None or shape is None:
            return ()
        found = lacks(shape, document, self.vital.get(place, ()))
        return [f"{path} {f'is {said}' if said else 'is missing'}" for path, _, said in found if path not in accepted]

    async def announced(self, type_: int) -> None:
        place = Place(_WEBHOOKS)
        if self._note(place, see_values(self._shape(place), _WEBHOOK_TYPE, [type_], COLLECTION_BY_TYPE)):
            await self._save(news=True)

    async def keep(self) -> None:
        if self._unsaved:
            await self._save(news=False)

    async def _save(self, *, news: bool) -> None:
        unsaved = {place: self._shapes[place] for place in self._unsaved}
        self._unsaved.clear()
        await self.book.save(unsaved, self._changes if news else None)

    def _shape(self, place: Place) -> Shape:
        if place not in self._shapes:
            self._shapes[place] = Shape(self.clock.now())
        return self._shapes[place]

    def _sample(self, place: Place, pages: Sequence[Page]) -> Iterator[str]:
        for page in pages:
            most = _OF_A_FIRST_PAGE if page.number == 1 else int(page.number % _PAGES_BETWEEN == 0)
            if not self._shape(place).known(self.clock.now()):
                most = _OF_AN_UNKNOWN_PAGE
            yield from (record.raw for record in page.records[:most] if self._is_fresh(record))

    def _is_fresh(self, record: Record) -> bool:
        """Returns whether this version of the record was not seen yet."""
        if record.version in self._seen:
            return False
        if len(self._seen) >= _ROWS_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._seen[record.version] = None
        return True

    def _see_all(self, place: Place, documents: Iterable[str]) -> bool:
        """Learns from the documents and returns whether something changed."""
        news = False
        for raw in documents:
            if (document := _document(raw)) is not None:
                news |= self._see_document(place, document)
        return news

    def _see_document(self, place: Place, document: Mapping[str, Any]) -> bool:
        shape, vital = self._shape(place), self.vital.get(place, ())
        id_ = whole_number(document.get("id")) if place.detail and vital else None
        news = self._note(place, see(shape, document, self.clock.now(), vital), id_)
        if id_ is not None and any(one.breaks and one.only is not None for one in self._changes):
            before, lacking = self._changes, {path for path, *_ in lacks(shape, document, vital)}
            self._changes = shown_by(before, place, lacking, id_)
            news |= self._changes != before
        for path, named in _NAMED_VALUES.get(place, {}).items():
            news |= self._note(place, see_values(shape, path, values_of(document, path), named))
        return news

    def _note(self, place: Place, found: Found, only: int | None = None) -> bool:
        """Records what a document showed. `only`: its id."""
        now, before = self.clock.now(), self._changes
        fresh: list[ShapeChange] = []
        for path, what, said in found.changes:
            change = ShapeChange(place.collection, place.detail, path, what, said, now, only=only)
            if (changes := with_change(self._changes, change)) is not None:
                fresh += [] if any(one.key == change.key for one in self._changes) else [change]
                self._changes = changes
        for path in found.mended:
            self._changes = mended(self._changes, place, path, now)
        if fresh:
            _log.warning("shape_changed", changes=[str(one) for one in fresh])
        if self._changes != before or found.learned:
            self._unsaved.add(place)
        return self._changes != before


def _document(raw: str) -> Mapping[str, Any] | None:
    try:
        return _inner(_decode(raw))
    except (msgspec.MsgspecError, RecursionError):  # half a surrogate pair; those are few
        return None


def _inner(value: Any) -> Mapping[str, Any] | None:
    """Returns a document, bare or in `data`."""
    if isinstance(value, dict) and "id" not in value and isinstance(value.get("data"), dict):
        value = value["data"]
    return value if isinstance(value, dict) else None
