"""the content of a ledger's HTTP answer: exact JSON, values by their path, rows"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from precoro_daemon.errors import MalformedAnswer

MISSING: Any = object()

_MOST_DECIMALS = 1_000
"""The most digits before or after the decimal point of a number. No useful number has more."""


class Absent(ValueError):
    """Raised when a path leads to no value."""


def parse(body: bytes) -> Any:
    """Parses JSON and keeps every number exact. Raises MalformedAnswer."""
    try:
        return json.loads(body, parse_float=_exact, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise MalformedAnswer("the answer is not JSON") from None


def _exact(number: str) -> Decimal | str:
    """Returns the number, or its text if it is extreme: 1e999999999 would fill the memory or overflow in a sum."""
    exact = Decimal(number)
    return exact if abs(exact.adjusted()) < _MOST_DECIMALS else number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def value_at(tree: Any, path: str) -> Any:
    """Returns the value at a path such as "a.b.0.c", or MISSING. Raises Absent for `only` in a list of several
    elements.

    `only` selects the single element of a list. A key may itself contain dots, as "@odata.nextLink" does: if
    "@odata" is no key, longer keys are tried.
    """
    return _found(tree, path)[1]


def _found(tree: Any, path: str) -> tuple[Sequence[str], Any]:
    """Returns the keys along a path, and the value at its end."""
    steps, taken = path.split(".") if path else [], []
    while steps:
        count, tree = _step(tree, steps)
        if tree is MISSING:
            return [], MISSING
        taken.append(".".join(steps[:count]))
        steps = steps[count:]
    return taken, tree


def _step(tree: Any, steps: Sequence[str]) -> tuple[int, Any]:
    """Returns how many parts of the path form the next key, and the value at that key."""
    match tree:
        case Mapping():
            keys = ((count, ".".join(steps[:count])) for count in range(1, len(steps) + 1))
            return next(((count, tree[key]) for count, key in keys if key in tree), (1, MISSING))
        case list() if steps[0] == "only":
            if len(tree) > 1:
                raise Absent(f"a list of {len(tree)}, where one is wanted")
            return 1, tree[0] if tree else MISSING
        case list() if steps[0].isdecimal() and int(steps[0]) < len(tree):
            return 1, tree[int(steps[0])]
    return 1, MISSING


def joined(tree: Any, paths: Sequence[str]) -> str:
    """Joins the values at several paths with slashes into one name. Raises Absent."""
    parts = []
    for path in paths:
        value = value_at(tree, path)
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or value == "":
            raise Absent(f"nothing to name it by at {path}")
        parts.append(str(value))
    return "/".join(parts)


def rows_at(tree: Any, path: str, *, may_be_absent: bool) -> Sequence[Any]:
    """Returns the list at a path; a single object counts as a list with one element. Raises MalformedAnswer."""
    try:
        found = value_at(tree, path)
    except Absent as error:
        raise MalformedAnswer(f"the answer has no list of payments at {path}: {error}") from None
    if found is MISSING and may_be_absent and isinstance(value_at(tree, path.rpartition(".")[0]), Mapping):
        return []
    if isinstance(found, Mapping):
        return [found]
    if not isinstance(found, list):
        raise MalformedAnswer(f"the answer has no list of payments at {path or 'its top'}")
    return found


def unwound(row: Any, path: str) -> Iterator[Any]:
    """Yields the row once for each element of the list at a path, with that element in place of the list."""
    keys, elements = _found(row, path)
    for element in elements if isinstance(elements, list) else ():
        yield _replaced(row, keys, element)


def _replaced(tree: Any, steps: Sequence[str], element: Any) -> Any:
    if not steps:
        return element
    return {**tree, steps[0]: _replaced(tree[steps[0]], steps[1:], element)}
