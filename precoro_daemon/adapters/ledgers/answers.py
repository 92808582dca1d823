"""what an HTTP answer of the ledger holds: exact JSON, values by their path, rows"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from precoro_daemon.errors import MalformedAnswer

MISSING: Any = object()


class Absent(ValueError):
    """Nothing stands where a path leads."""


def parse(body: bytes) -> Any:
    """JSON with every number exact. Raises MalformedAnswer."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise MalformedAnswer("the answer is not JSON") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def value_at(tree: Any, path: str) -> Any:
    """What stands at "a.b.0.c", MISSING if nothing does. `only` is the one element of a list that has no other."""
    for step in path.split(".") if path else ():
        tree = _step(tree, step)
        if tree is MISSING:
            return MISSING
    return tree


def _step(tree: Any, step: str) -> Any:
    match tree:
        case Mapping():
            return tree.get(step, MISSING)
        case list() if step == "only":
            if len(tree) > 1:
                raise Absent(f"a list of {len(tree)}, where one is wanted")
            return tree[0] if tree else MISSING
        case list() if step.isdecimal() and int(step) < len(tree):
            return tree[int(step)]
    return MISSING


def joined(tree: Any, paths: Sequence[str]) -> str:
    """The values at several paths as one name, each with a slash before it but the first. Raises Absent."""
    parts = []
    for path in paths:
        value = value_at(tree, path)
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or value == "":
            raise Absent(f"nothing to name it by at {path}")
        parts.append(str(value))
    return "/".join(parts)


def rows_at(tree: Any, path: str, *, may_be_absent: bool) -> Sequence[Any]:
    """The list at a path; one object alone counts as a list of it. Raises MalformedAnswer."""
    found = value_at(tree, path)
    if found is MISSING and may_be_absent and isinstance(value_at(tree, path.rpartition(".")[0]), Mapping):
        return []
    if isinstance(found, Mapping):
        return [found]
    if not isinstance(found, list):
        raise MalformedAnswer(f"the answer has no list of payments at {path or 'its top'}")
    return found


def unwound(row: Any, path: str) -> Iterator[Any]:
    """A row once for each element of the list at a path, with that element instead of the list."""
    elements = value_at(row, path)
    for element in elements if isinstance(elements, list) else ():
        yield _replaced(row, path.split("."), element)


def _replaced(tree: Any, steps: Sequence[str], element: Any) -> Any:
    if not steps:
        return element
    return {**tree, steps[0]: _replaced(tree[steps[0]], steps[1:], element)}
