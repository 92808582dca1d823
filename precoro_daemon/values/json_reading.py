"""tolerant reading of loose JSON: nothing in it has the type that one expects"""

from __future__ import annotations

import json
from typing import Any


def read_json(raw: bytes | str) -> Any:
    """The value, its numbers with a point kept as text; None where it is no JSON."""
    try:
        return json.loads(raw, parse_float=str)
    except (ValueError, RecursionError):
        return None
