"""the shape of answers: fields, their types, values of statuses; and its changes

Theory of operation. Precoro's fields appear, vanish and change their types without notice. Each list and each kind of
detail (an *endpoint*) has a shape that is learned from a sample of its documents: the fields and their types. While
it is being learned nothing is logged, because not every document has every field. Afterwards a difference is a
*change*, and each is logged once. So is a status number without a name.

The API is loose by nature, and what it has always done is no change. An empty value has no type. A number may be
text, and so may an id. A nested collection is a list, the same in `data`, or a dict by ids; all count as rows. The
type of a custom field's value is the user's choice, and so is that of an id given by other programs.

New fields and unknown statuses stay logged. A missing field, or one of another type, lasts until a document has the
field again as before: others may still lack it, and each is judged on its own where money depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import NoneType
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from precoro_daemon.values.json_reading import reference

Kind = Literal["new", "missing", "type", "value"]

_LEARNED_FROM = 30
"""Documents after which a shape is known."""

_LEARNED_WITHIN_S = 7 * 86_400.0
"""Seconds after which it counts as known from however few documents: a list may have three rows."""

_ALWAYS = 5
"""Documents that must have had a field before it can be missing."""

_MISSED = 5
"""Documents in a row without a field that all others had, after which it is missing; one if money depends on it."""

_MOST_FIELDS = 500
"""The most fields of an endpoint. An object whose keys are data has no end."""

_MOST_VALUES = 40
"""The most unnamed values of a status field. A field with more is no status."""

_MOST_CHANGES = 200
"""The number of changes that are kept, newest first."""

_ROWS_READ = 5
"""Rows read of a nested collection."""

_DEEPEST = 4
_FIELD_NAME_CHARS = 80

_NUMBER_AS_TEXT = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_DATE_BEGINS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CUSTOM_FIELDS = "CustomFields[]."
_EXTERNAL_ID = "externalId"
_PLAIN_TYPES = "ndmit"
"""Types of ids that other programs choose: one uses numbers, another days, this one UUIDs."""

_EMPTY_VALUE = "-"
_TYPE_WORDS = {
    "n": "a number",
    "d": "a number",
    "m": "a number",
    "i": "a date",
    "t": "text",
    "b": "true or false",
    "o": "an object",
    "r": "rows",
}
"""Types by their letter in a shape. Numbers as text are d, with a decimal point m."""

_NO_NEWS_WHERE: Mapping[str, str] = {"n": "dm", "d": "nmt", "m": "ndt", "i": "t"}
"""A type is no news if one of these is known. Text is news where there always was a number or a date."""


class Place(NamedTuple):
    """An endpoint: the list of a collection, or its details."""

    collection: str
    detail: bool = False

    def __str__(self) -> str:
        return f"{self.collection} {'detail' if self.detail else 'list'}"


@dataclass(frozen=True, slots=True)
class ShapeChange:
    """A difference from the former shape.

    what   new: a field · missing: a field that all had · type: of a field · value: an unknown status or webhook type
    said   the type or the value, and what it was before, for people
    at     when it was seen first (Unix seconds)
    until  when a document had the field again as before, None if it lasts; a new field lasts for good
    only   the id of the only document that shows it so far, None if several do, or for a list
    """

    collection: str
    detail: bool
    field: str
    what: Kind
    said: str
    at: float
    until: float | None = None
    only: int | None = None

    @property
    def key(self) -> tuple[str, bool, str, str, str]:
        return (self.collection, self.detail, self.field, self.what, self.said)

    @property
    def breaks(self) -> bool:
        """Whether work that depends on the field is impossible at present."""
        return self.what in ("missing", "type") and self.until is None

    def __str__(self) -> str:
        where = f"{self.collection.replace('_', ' ')} {'details' if self.detail else 'list'}"
        match self.what:
            case "new":
                return f"{where}: {self.field} is new ({self.said})"
            case "missing":
                return f"{where}: {self.field} is missing"
            case "type":
                return f"{where}: {self.field} is {self.said}"
        return f"{where}: {self.field} {self.said} is unknown"


class Field(Struct):
    """types     letters of all types that it had
    seen      documents that had it
    absent    the latest documents in a row that lacked it
    optional  whether some lacked it while others had it
    odd       whether the latest one had it in a foreign type
    """

    types: str = ""
    seen: int = 0
    absent: int = 0
    optional: bool = False
    odd: bool = False


class Shape(Struct):
    """What is known about an endpoint.

    since      when the first document was seen (Unix seconds)
    documents  the number seen
    values     unnamed status numbers, by field
    """

    since: float
    documents: int = 0
    fields: dict[str, Field] = {}
    values: dict[str, list[int]] = {}

    def known(self, at: float) -> bool:
        return self.documents >= _LEARNED_FROM or at - self.since >= _LEARNED_WITHIN_S


class Found(NamedTuple):
    """What one document showed.

    mended   fields that are as before again
    learned  whether it has something that the shape lacked
    """

    changes: Sequence[tuple[str, Kind, str]] = ()
    mended: Sequence[str] = ()
    learned: bool = False


def see(shape: Shape, document: Mapping[str, Any], at: float, vital: Collection[str] = ()) -> Found:
    """Learns from one document. `vital`: fields on which money depends."""
    known = shape.known(at)
    found: dict[str, str] = {}
    _note_fields(found, document)
    changes: list[tuple[str, Kind, str]] = []
    mended: list[str] = []
    learned = not known
    fresh = [path for path in found.keys() - shape.fields.keys() if known and _is_field(shape, path)]
    for path, types in found.items():
        one = shape.fields.get(path)
        if one is not None and not one.absent and not one.odd and (types in one.types or types == _EMPTY_VALUE):
            one.seen += 1  # nearly all are as they were
        else:
            patience = 1 if path in vital else _MISSED
            changes += _see_present(shape, path, types, mended, patience=patience, known=known)
            if path in fresh and path in shape.fields:  # unless there are too many
                changes.append((path, "new", _in_words(types)))
            learned = True
    for path, one in shape.fields.items():
        if path not in found and not one.optional and _parent(path, found):
            changes += _see_absent(one, path, known=known, patience=1 if path in vital else _MISSED)
    shape.documents += 1
    return Found(changes, mended, learned)


def lacks(shape: Shape, document: Mapping[str, Any], vital: Collection[str]) -> Sequence[tuple[str, Kind, str]]:
    """Returns the vital fields that this document lacks, or has in another form than the others."""
    found: dict[str, str] = {}
    _note_fields(found, document)
    lacking: list[tuple[str, Kind, str]] = []
    for path in sorted(vital):
        if (one := shape.fields.get(path)) is None:
            continue
        strange = "".join(letter for letter in found.get(path, "") if not _fits(path, one.types, letter))
        if strange:
            lacking.append((path, "type", _in_words(strange)))
        elif path not in found and not one.optional and _parent(path, found):
            lacking.append((path, "missing", ""))
    return lacking


def see_values(shape: Shape, path: str, values: Iterable[int], named: Collection[int]) -> Found:
    """Returns the numbers of a status field that are new and not `named`."""
    held = shape.values.setdefault(path, [])
    fresh = sorted(set(values).difference(held, named))
    if not fresh or len(held) >= _MOST_VALUES:
        return Found()
    held += fresh
    return Found([(path, "value", str(one)) for one in fresh], learned=True)


def values_of(document: Mapping[str, Any], path: str) -> Iterator[int]:
    """Yields the numbers in a field of the document, or of its rows: `status`, `payments[].status`."""
    outer, _, inner = path.partition("[].")
    held = document.get(outer)
    rows = [document] if not inner else (_rows(held) or ()) if isinstance(held, dict | list) else ()
    for row in rows:
        number = reference(row.get(inner or outer)) if isinstance(row, dict) else None
        if number is not None:
            yield number


def _see_present(
    shape: Shape, path: str, types: str, mended: list[str], *, patience: int, known: bool
) -> Iterator[tuple[str, Kind, str]]:
    one = shape.fields.get(path)
    if one is None:
        if len(shape.fields) < _MOST_FIELDS:
            shape.fields[path] = Field(types.replace(_EMPTY_VALUE, ""), seen=1, optional=shape.documents > 0)
        return
    one.seen += 1
    back = one.absent > 0
    one.optional |= back and (one.absent < patience or not known)
    one.absent = 0
    strange = [letter for letter in types if not _fits(path, one.types, letter)]
    if strange and known:
        if not one.odd:
            yield path, "type", f"{_in_words(''.join(strange))}, no more {_in_words(one.types)}"
        one.odd = True
        return
    if back or (one.odd and types != _EMPTY_VALUE):
        mended.append(path)
        one.odd = False
    one.types += "".join(letter for letter in types if letter not in one.types and letter != _EMPTY_VALUE)


def _see_absent(one: Field, path: str, *, known: bool, patience: int) -> Iterator[tuple[str, Kind, str]]:
    if not known and one.absent == 0 and one.seen < _ALWAYS:
        one.optional = True
        return
    one.absent += 1
    if one.absent == patience and (known or patience == 1):
        yield path, "missing", ""


def _fits(path: str, types: str, letter: str) -> bool:
    """Returns whether a value of that type is no news. A field that was only ever empty had no type."""
    if not types or letter == _EMPTY_VALUE or letter in types:
        return True
    if path.endswith(_EXTERNAL_ID) and letter in _PLAIN_TYPES:
        return any(one in _PLAIN_TYPES for one in types)
    if letter == "t":
        return types == "d"
    return any(one in types for one in _NO_NEWS_WHERE.get(letter, ""))


def _parent(path: str, found: Mapping[str, str]) -> bool:
    """Returns whether the document has the parent of the field."""
    outer = path.rpartition(".")[0]
    return not path.endswith("[]") and (not outer or "o" in found.get(outer, ""))


def _is_field(shape: Shape, path: str) -> bool:
    """Returns whether it is a field of its own: of the document, or of an object in it that had fields before. The
    parts of what was empty so far, or no object, are unknown.
    """
    outer = path.rpartition(".")[0]
    held = shape.fields.get(outer)
    return not path.endswith("[]") and (not outer or (held is not None and "o" in held.types))


def _in_words(types: str) -> str:
    return " or ".join(dict.fromkeys(word for letter, word in _TYPE_WORDS.items() if letter in types)) or "empty"


def _note_fields(found: dict[str, str], document: Mapping[str, Any], path: str = "", depth: int = 1) -> None:
    """Collects every field, nested ones too, with the letters of its types; rows contribute what any of them has."""
    for name, value in document.items():
        if name == "value" and path.endswith(_CUSTOM_FIELDS):
            continue
        inner = f"{path}{name[:_FIELD_NAME_CHARS]}"
        if isinstance(value, dict | list):
            _note(found, inner, value, depth)
            continue
        letter = _letter(value)  # of most values there is nothing more to note; a document has a hundred of them
        if inner not in found:
            found[inner] = letter
        elif letter not in found[inner]:
            found[inner] += letter


def _note(found: dict[str, str], path: str, value: Any, depth: int) -> None:
    if not isinstance(value, dict | list):
        letter = _letter(value)
    elif (rows := _rows(value)) is None:
        letter = "o"
        assert isinstance(value, dict)
        if depth < _DEEPEST:
            _note_fields(found, value, f"{path}.", depth + 1)
    else:
        letter = "r" if rows else _EMPTY_VALUE
        if depth < _DEEPEST:
            for row in rows[:_ROWS_READ]:
                _note(found, f"{path}[]", row, depth)
    known = found.get(path, "")
    if letter not in known:
        found[path] = known + letter


def _rows(value: dict[str, Any] | list[Any]) -> Sequence[Any] | None:
    """Returns the members of a nested collection in any of its shapes, None if it is none, or empty."""
    if isinstance(value, dict):
        inner = value.get("data")
        if isinstance(inner, dict | list):
            value = inner
        elif not _has_rows(value):
            return None
    return list(value.values()) if isinstance(value, dict) else value


def _has_rows(value: Mapping[str, Any]) -> bool:
    for key in value:  # the first key shows it of most objects
        return key.isdecimal() and all(key.isdecimal() and isinstance(row, dict) for key, row in value.items())
    return True


_LETTERS: Mapping[type, str] = {bool: "b", int: "n", float: "n", NoneType: _EMPTY_VALUE}


def _letter(value: Any) -> str:
    if not isinstance(value, str):
        return _LETTERS.get(type(value), _EMPTY_VALUE)
    if value[:1].isalpha():
        return "t"
    if not value.strip():
        return _EMPTY_VALUE
    if found := _NUMBER_AS_TEXT.fullmatch(value):
        return "m" if found[1] else "d"
    return "i" if _DATE_BEGINS.match(value) else "t"


def with_change(changes: Sequence[ShapeChange], change: ShapeChange) -> Sequence[ShapeChange] | None:
    """Returns the kept changes with one more, None if it was logged before. One that had ended lasts again."""
    known = next((one for one in changes if one.key == change.key), None)
    if known is None:
        return [*changes, change][-_MOST_CHANGES:]
    again = None if known.until is None else replace(known, until=None, only=change.only)
    return None if again is None else [again if one is known else one for one in changes]


def shown_by(changes: Sequence[ShapeChange], place: Place, paths: Collection[str], id_: int) -> Sequence[ShapeChange]:
    """Returns the kept changes once another document lacks these fields: a change shown by one is then shown by
    several.
    """
    return [
        replace(one, only=None)
        if one.breaks and one.only not in (None, id_) and (one.collection, one.detail) == place and one.field in paths
        else one
        for one in changes
    ]


def mended(changes: Sequence[ShapeChange], place: Place, path: str, at: float) -> Sequence[ShapeChange]:
    """Returns the kept changes once a document had the field again as before."""
    return [
        replace(one, until=at) if one.breaks and (one.collection, one.detail, one.field) == (*place, path) else one
        for one in changes
    ]
