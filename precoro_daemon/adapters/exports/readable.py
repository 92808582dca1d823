"""cells for databases with types; a cell that is unreadable as its type becomes empty"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,254})(?:\.[0-9]{1,255})?")
_WITH_EXPONENT = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?[eE][+-]?[0-9]{1,2}")


@lru_cache(maxsize=20_000)
def plain_number(text: str | None) -> str | None:
    """Returns the number with every digit and without an exponent, None if it is no number."""
    if text is None or _PLAIN.fullmatch(text):
        return text
    return format(Decimal(text), "f") if _WITH_EXPONENT.fullmatch(text) else None


def plain_date(text: str | None) -> str | None:
    try:
        return None if text is None else date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def plain_time(text: str | None) -> str | None:
    """Returns the time in UTC, without a zone, None if it is no time."""
    try:
        moment = None if text is None else datetime.fromisoformat(text)
        if moment is not None and moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return None if moment is None else moment.isoformat()
