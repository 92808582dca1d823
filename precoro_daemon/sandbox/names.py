"""the words its company is made of, in many scripts, read from names.json"""

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def _all() -> dict[str, list[Any]]:
    words: dict[str, list[Any]] = json.loads(Path(__file__).with_name("names.json").read_bytes())
    return words


def words(kind: str) -> list[Any]:
    """Every name of a kind, always in the same order."""
    return _all()[kind]


def numbered(kind: str, index: int) -> str:
    """The index-th name of a kind; names start over with a number when they run out."""
    known = words(kind)
    name = str(known[index % len(known)])
    return name if index < len(known) else f"{name} {index // len(known) + 1}"
