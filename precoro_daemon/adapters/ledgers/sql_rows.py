"""rows of a query for payments: all needed columns, oldest first"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from precoro_daemon.adapters.ledgers.rows import OPTIONAL, REQUIRED
from precoro_daemon.errors import LedgerMisfit

_NEEDED_COLUMNS = (*REQUIRED, "position")


def odd_position(row: Mapping[str, Any]) -> tuple[str, str, Mapping[str, Any]]:
    """Describes a row whose position is unusable: after the day infinity no row would ever follow."""
    key = row.get("key")
    place = str(key) if key is not None else f"position {row['position']}"
    return place, f"position: {row['position']} is no time to go on from", row


class Order:
    """Checks that rows come oldest first. Otherwise resuming from a position would leave rows out."""

    def __init__(self, *, text_too: bool) -> None:
        self._text_too = text_too
        self._newest: Any = None

    def check(self, position: Any) -> None:
        before, self._newest = self._newest, position
        if type(before) is not type(position) or (isinstance(position, str) and not self._text_too):
            return
        if position is not None and position < before:
            text = f"read: position {position} comes after {before}; end the query with ORDER BY position"
            raise LedgerMisfit(text)


def check_columns(found: Sequence[str]) -> None:
    names = [column.lower() for column in found]
    missing = [name for name in _NEEDED_COLUMNS if name not in names]
    if missing:
        raise LedgerMisfit(
            f"read: the query gives no {', '.join(missing)}; it gives {', '.join(found) or 'nothing'}, and needs"
            f" {', '.join(_NEEDED_COLUMNS)}, and may have {', '.join(OPTIONAL)}"
        )
