"""the names in the company's data, in many scripts, read from names.json"""

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def _all() -> dict[str, list[Any]]:
    words: dict[str, list[Any]] = json.loads(Path(__file__).with_name("names.json").read_bytes())
    return words


def words(kind: str) -> list[Any]:
    """Returns all names of a kind, always in the same order."""
    return _all()[kind]


def numbered(kind: str, index: int) -> str:
    """Returns the index-th name of a kind. After the last name they repeat with a number."""
    known = words(kind)
    name = str(known[index % len(known)])
    return name if index < len(known) else f"{name} {index // len(known) + 1}"
