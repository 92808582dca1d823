"""the restore guard in the database: what a dump, a restored or a promoted copy has otherwise"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from precoro_daemon.adapters.state.restore_guard import Testimony
from precoro_daemon.adapters.state.session import Session


class PostgresRestoreGuard:
    """Implements `RestoreGuard`.

    What was armed is kept in the state together with what no copy of it has: the cluster's identifier, its timeline,
    the schema's number, and the file of the journal. So a dump that is loaded elsewhere, a recovery to a point in
    time, a promoted standby, a journal that was emptied and filled again are distinguished from the state that sent.
    A rewritten journal (VACUUM FULL) is taken for one of them. A snapshot of the cluster's whole storage that is
    put back is not noticed: nothing of it is outside.

    Everything is asked in the transaction that is under way: what permits to send and what guards it are one.
    """

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session

    def create(self) -> Testimony:
        return Testimony(f"{secrets.token_hex(8)} {self._identity()}")

    def advance(self, seq: int, row: str) -> None:
        """The permit is kept where the guard is, and cannot be lost without it."""

    def read(self) -> Testimony | None:
        row = self._session().row("meta.read", ("armed",))
        if row is None or not row["value"].endswith(f" {self._identity()}"):
            return None
        return Testimony(row["value"])

    def remove(self) -> None:
        """Who disarms forgets what was armed."""

    def _identity(self) -> str:
        return str(self._session().value("postgresql.identity"))
