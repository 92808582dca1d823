"""custom fields: their definitions, nested options, and how options change"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec import Struct

from precoro_daemon.values.json_reading import nested, whole_number

FIELD_TYPES: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "string", "textarea", "input", "url"),
    "number": ("number", "numeric", "integer", "decimal", "float", "money", "currency"),
    "date": ("date", "datetime"),
    "option": ("option", "select", "dropdown", "dropdownlist", "list", "radio", "choice", "singleselect"),
    "options": ("options", "multiselect", "multipleselect", "multiple", "multichoice", "checkboxes"),
    "user": ("user", "users", "person", "employee"),
    "file": ("file", "files", "attachment", "attachments", "document"),
    "boolean": ("boolean", "bool", "checkbox", "switch"),
}
"""Our name for a type of field, and the names under which it was seen or may be expected. The meaning of Precoro's
numbers for types is not published, so they are ignored.
"""

_TYPE_BY_WORD = {word: name for name, words in FIELD_TYPES.items() for word in words}
_BETWEEN = " / "


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a field as its definition lists it.

    id       Precoro's id as text; the name if it has none
    path     the names from the outermost option to this one, "Region / City"; only the name if options do not nest
    enabled  None if the definition does not say
    """

    id: str
    name: str
    code: str | None = None
    external_id: str | None = None
    parent_id: str | None = None
    path: str = ""
    enabled: bool | None = None


class Definition(Struct, frozen=True):
    """The content of a definition. `type` is one of FIELD_TYPES, None if unknown."""

    name: str | None
    type: str | None
    options: Sequence[Option] = ()


class Revision(Struct, frozen=True):
    """What a new reading of a field's options changes: the former states that ended, and the states that began."""

    ended: Sequence[str]
    begun: Sequence[Option]


def read_definition(raw: str) -> Definition:
    """Reads a definition. Odd values count as missing; it never raises."""
    try:
        # Digits as they are written: a code of 0.50 is not 0.5.
        whole = json.loads(raw, parse_float=str)
    except (ValueError, RecursionError):
        whole = None
    if not isinstance(whole, dict):
        return Definition(None, None)
    options = tuple(_with_paths(_options(whole.get("options"))).values())
    return Definition(name=_text(whole.get("name")), type=_type(whole, options), options=options)


def revise(known: Mapping[str, Option], listed: Iterable[Option]) -> Revision:
    """Compares the options. `known`: the present state of each option by its id."""
    now = {option.id: option for option in listed}
    return Revision(
        ended=[id_ for id_, option in known.items() if now.get(id_) != option],
        begun=[option for id_, option in now.items() if known.get(id_) != option],
    )


def _type(definition: Mapping[str, Any], options: Sequence[Option]) -> str | None:
    for said in (definition.get("typeString"), definition.get("type")):
        word = "".join(filter(str.isalpha, said.lower())) if isinstance(said, str) else ""
        if word in _TYPE_BY_WORD:
            return _TYPE_BY_WORD[word]
    return "option" if options else None


def _options(bag: Any) -> dict[str, Option]:
    """Returns options by id, in the order of the definition, each with its parent but without its path."""
    found: dict[str, Option] = {}
    levels: dict[str, int] = {}
    _collect(bag, None, found, levels)
    if not any(option.parent_id for option in found.values()):
        _nest_by_level(found, levels)
    return found


def _collect(bag: Any, parent: str | None, found: dict[str, Option], levels: dict[str, int]) -> None:
    for each in nested(bag):
        option = _option(each, parent)
        if option is None:
            continue
        found.setdefault(option.id, option)
        if isinstance(each, dict):
            if (level := whole_number(each.get("level"))) is not None:
                levels[option.id] = level
            _collect(each.get("children") or each.get("options"), option.id, found, levels)


def _option(each: Any, parent: str | None) -> Option | None:
    if not isinstance(each, dict):
        name = _text(each)
        return None if name is None else Option(id=name, name=name, parent_id=parent)
    id_, name = _text(each.get("id")), _text(each.get("name")) or _text(each.get("label"))
    if id_ is None and name is None:
        return None
    enabled = each.get("enable", each.get("enabled"))
    return Option(
        id=id_ or name or "",
        name=name or id_ or "",
        code=_text(each.get("code")),
        external_id=_text(each.get("externalId")),
        parent_id=_parent(each) or parent,
        enabled={"true": True, "1": True, "false": False, "0": False}.get(str(enabled).lower()),
    )


def _parent(option: Mapping[str, Any]) -> str | None:
    parent = option.get("parent")
    said = parent.get("id") if isinstance(parent, dict) else parent
    id_ = _text(said) or _text(option.get("parentId"))
    return None if id_ == "0" else id_


def _nest_by_level(found: dict[str, Option], levels: Mapping[str, int]) -> None:
    """Sets parents by level if no option names its parent: the parent is the nearest earlier option on an outer
    level, which is the order in which a tree is written down.
    """
    open_: list[str] = []
    for id_ in found if levels.keys() == found.keys() else ():
        while open_ and levels[open_[-1]] >= levels[id_]:
            open_.pop()
        if open_:
            found[id_] = replace(found[id_], parent_id=open_[-1])
        open_.append(id_)


def _with_paths(options: dict[str, Option]) -> dict[str, Option]:
    return {id_: replace(option, path=_path(option, options)) for id_, option in options.items()}


def _path(option: Option, options: Mapping[str, Option]) -> str:
    """Returns the path. It ends if a parent is not in the definition, or if options are each other's parents."""
    chain = {option.id: option.name}
    while (parent := options.get(option.parent_id or "")) is not None and parent.id not in chain:
        chain[parent.id] = parent.name
        option = parent
    return _BETWEEN.join(reversed(chain.values()))


def _text(value: Any) -> str | None:
    """Returns text, or a number as text. A half surrogate pair, which a database cannot store, becomes "?"."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).encode("utf-8", "replace").decode() or None
