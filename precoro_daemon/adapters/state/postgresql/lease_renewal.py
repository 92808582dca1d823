"""renews a worker's lease on a thread and a connection of its own, however busy the loop is"""

from __future__ import annotations

import threading
from time import monotonic
from types import TracebackType
from typing import Any, Self

import psycopg

from precoro_daemon.adapters.state.postgresql.failures import said, unreached
from precoro_daemon.adapters.state.postgresql.fleet_session import FLEET, LEASE_STATEMENTS, session_settings
from precoro_daemon.adapters.state.postgresql.server import bounded
from precoro_daemon.runtime.tenure import Standing, hands_over, reserve
from precoro_daemon.telemetry import get_logger

_log = get_logger()


class LeaseRenewal:
    """Renews the lease on its own thread, without the loop.

    The loop only reports now and then that it runs (`hear`). A loop that hangs for long loses its lease, so that
    another
    worker serves its companies.
    """

    def __init__(self, conninfo: str, worker: str, lease: float, joined_at: float) -> None:
        """`joined_at`: monotonic time, read before the lease began."""
        self._conninfo = conninfo
        self._worker = worker
        self._lease = lease
        self._standing = Standing(lease).renewed(joined_at)
        self._heard_at = joined_at
        self._doubted = self._withheld = self._ending = False
        self._woken = threading.Event()
        self._connection: psycopg.Connection[Any] | None = None

    @property
    def standing(self) -> Standing:
        return self._standing.failed() if self._doubted else self._standing

    def __enter__(self) -> Self:
        threading.Thread(target=self._run, name="lease", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Lets the thread end after its present work, without waiting for it."""
        self._ending = True
        self._woken.set()

    def hear(self) -> None:
        """Reports that the loop runs."""
        self._heard_at = monotonic()
        if self._withheld:
            self._woken.set()

    def doubt(self) -> None:
        """Reports trouble with the database: renews at once, and treats the lease as doubtful until then."""
        self._doubted = True
        self._woken.set()

    def _run(self) -> None:
        try:
            while not (self._ending or self._standing.over(monotonic())):
                self._woken.wait(self._standing.renewal_in(monotonic()))
                self._woken.clear()
                if not self._ending:
                    self._turn()
        finally:
            self._disconnect()

    def _turn(self) -> None:
        silent_for = monotonic() - self._heard_at
        if hands_over(silent_for, self._lease):
            self._withhold(silent_for)
            return
        self._withheld = False
        if self._doubted:
            self._standing, self._doubted = self._standing.failed(), False
        sent_at = monotonic()
        try:
            renewed = self._renew()
        except psycopg.Error as error:
            self._fail(error)
        else:
            self._standing = self._standing.renewed(sent_at) if renewed else Standing(self._lease)

    def _withhold(self, silent_for: float) -> None:
        if not self._withheld:
            _log.error("worker_stalled", worker=self._worker, silent_for=round(silent_for, 1))
        self._standing, self._withheld = self._standing.failed(), True

    def _fail(self, error: psycopg.Error) -> None:
        tell = said if self._connection else unreached
        if self._standing.reachable:
            _log.warning("fleet_disconnected", error=str(tell(FLEET, error)))
        self._standing = self._standing.failed()
        self._disconnect()

    def _renew(self) -> bool:
        if self._connection is None:
            settings = session_settings(self._lease, self._worker)
            self._connection = bounded(reserve(self._lease)).connect(
                self._conninfo, autocommit=True, prepare_threshold=None, **settings
            )
        values = {"worker": self._worker, "lease": self._lease}
        return bool(self._connection.execute(LEASE_STATEMENTS["renew"].encode(), values).rowcount)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()
