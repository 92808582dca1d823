"""from which position to go on, whether the ledger is asked for what is past it or from it on"""

from __future__ import annotations

from datetime import date, datetime
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
