"""what the mirror knows of itself, in SQL: what is quarantined, and how Precoro reads times"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.mirror.rules.reach import Skew

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precoro_daemon.adapters.state.session import Session

SKEW_KEY = "since_skew"


def read_skew(session: Session) -> Skew:
    row = session.row("meta.read", (SKEW_KEY,))
    return Skew() if row is None else Skew(**json.loads(row["value"]))


def count_quarantined(session: Session) -> Mapping[tuple[str, Stage], int]:
    return {
        (row["collection"], Stage(row["stage"])): row["items"] for row in session.rows("mirror.count_quarantined")
    }
