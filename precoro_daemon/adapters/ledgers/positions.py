"""from which position to go on, whether the ledger is asked for what is past it or from it on"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from precoro_daemon.errors import LedgerMisfit


class Positions:
    """Follows the positions of rows as they come, oldest first.

    Several rows may have the same position, and more of them may come later. So it is only safe to go on from the
    position before the newest: that brings all rows of the newest one again, with `>` as with `>=`.
    """

    def __init__(self, start: str) -> None:
        self.safe = start
        self._newest: str | None = None

    def follow(self, position: str) -> None:
        if self._newest is not None and position != self._newest:
            self.safe = self._newest
        self._newest = position


def position_text(value: Any) -> str:
    """As it goes into the next query."""
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
    """The position so much earlier, in the form it had: seconds where it is a time, that many where it is a whole
    number. Any other text stays as it is."""
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
