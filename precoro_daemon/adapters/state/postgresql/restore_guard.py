"""the restore guard in the database: facts that differ in a dump, a restored copy or a promoted copy"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from precoro_daemon.adapters.state.restore_guard import Testimony
from precoro_daemon.adapters.state.session import Session


class PostgresRestoreGuard:
    """Implements `RestoreGuard`.

    Arming stores facts that no copy shares: the cluster's identifier, its timeline, the schema's number, and the
    journal's
    file. So a dump loaded elsewhere, a point-in-time recovery, a promoted standby, and a journal that was emptied and
    refilled are distinguished from the state that sent. A rewritten journal (VACUUM FULL) looks like one of them.
    Restoring
    a snapshot of the cluster's whole storage is not noticed, because nothing of it is outside.

    All checks run in the present transaction: the permit to send and its guard are one.
    """

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session

    def create(self) -> Testimony:
        return Testimony(f"{secrets.token_hex(8)} {self._identity()}")

    def advance(self, seq: int, row: str) -> None:
        """Does nothing: the permit is stored with the guard, and cannot be lost without it."""

    def read(self) -> Testimony | None:
        row = self._session().row("meta.read", ("armed",))
        if row is None or not row["value"].endswith(f" {self._identity()}"):
            return None
        return Testimony(row["value"])

    def remove(self) -> None:
        """Forgets what was armed."""

    def _identity(self) -> str:
        return str(self._session().value("postgresql.identity"))
