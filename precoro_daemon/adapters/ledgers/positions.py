"""the position to resume from, for queries that use `>` as well as for those that use `>=`"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from precoro_daemon.errors import LedgerMisfit


class Positions:
    """Follows the positions of rows as they arrive, oldest first.

    Several rows may have the same position, and more of them may arrive later. So the safe position to resume from
    is the one before the newest. From there all rows of the newest position are read again, with `>` as with `>=`.
    """

    def __init__(self, start: str) -> None:
        self.safe = start
        self._newest: str | None = None

    def follow(self, position: str) -> None:
        if self._newest is not None and position != self._newest:
            self.safe = self._newest
        self._newest = position


def position_text(value: Any) -> str:
    """Returns a position as text for the next query. Raises LedgerMisfit."""
    match value:
        case str() if value.strip():
            return value
        case bool() | float():
            pass
        case int() | Decimal() | date():
            return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)
    raise LedgerMisfit(
        f"position: {value!r} is not to be used as a position; it must be text, a whole number, a date or a time"
    )


def reach_back(position: str, overlap: float) -> str:
    """Returns a position moved back by `overlap`, in its own form: by seconds if it is a time, by that number if it
    is a whole number. Any other text is returned unchanged.
    """
    if not overlap:
        return position
    if re.fullmatch(r"\d{1,30}", position):
        return str(max(0, int(position) - int(overlap)))
    if not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", position):
        return position
    try:
        moment = datetime.fromisoformat(position) - timedelta(seconds=overlap)
    except (ValueError, OverflowError):
        return position
    text = moment.isoformat(sep=position[10])
    return text.replace("+00:00", "Z") if position.endswith("Z") else text
