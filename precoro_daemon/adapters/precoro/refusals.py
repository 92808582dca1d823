"""what Precoro says when it refuses a write, and what only a proxy in between may have said"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from precoro_daemon.adapters.http.exchange import Answer
from precoro_daemon.quota.rate_limits import read_refusal

REFUSING = frozenset({400, 409, 422})


def errors_in(body: bytes) -> Mapping[str, Any]:
    """What Precoro refused, by field, in its own shape; empty for any other."""
    answer = loads(body)
    errors = answer.get("errors") if isinstance(answer, dict) else None
    inner = errors.get("errors", errors) if isinstance(errors, dict) else None
    return inner if isinstance(inner, dict) else {}


def is_documented(answer: Answer) -> bool:
    """A 429 in Precoro's own words. One of a proxy in between does not tell whether Precoro got the request."""
    return bool(read_refusal(answer.headers, answer.body, answer.server_time or 0.0).type)


def loads(body: bytes) -> Any:
    try:
        # Amounts stay text on their way through.
        return json.loads(body, parse_float=str)
    except (ValueError, RecursionError):
        return None
