"""facts of the mirror in SQL: quarantined things, and the time zone in which Precoro reads times"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.mirror.rules.reach import Skew

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from precoro_daemon.adapters.state.session import Asked, Row, Session

SKEW_KEY = "since_skew"
ASKED_SKEW: Asked = ("meta.read", (SKEW_KEY,))


def read_skew(session: Session) -> Skew:
    return skew_of(session.rows(*ASKED_SKEW))


def skew_of(rows: Sequence[Row]) -> Skew:
    return Skew(**json.loads(rows[0]["value"])) if rows else Skew()


def count_quarantined(session: Session) -> Mapping[tuple[str, Stage], int]:
    return {
        (row["collection"], Stage(row["stage"])): row["items"] for row in session.rows("mirror.count_quarantined")
    }
