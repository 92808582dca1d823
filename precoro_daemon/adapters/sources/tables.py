"""wanted items in a database: the rows of one query"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import anyio

from precoro_daemon.adapters.databases.database import Connection, Database, Fault
from precoro_daemon.adapters.databases.thread import OneThread
from precoro_daemon.catalogue.rules.sheets import Row, Sheet
from precoro_daemon.errors import ConfigurationError, DaemonError, TemporaryError
from precoro_daemon.telemetry import excerpt
from precoro_daemon.values.sql_statements import Statement

_ROWS_A_FETCH = 5_000
_CUT_GRACE_S = 2.0
"""Seconds that a statement has beyond its own time limit before its connection is cut."""


class TableSource:
    """Implements `WantedSource` on a read-only connection."""

    def __init__(self, database: Database, query: Statement, timeout: float, secrets: Sequence[str] = ()) -> None:
        self._database = database
        self._query = query
        self._timeout = timeout
        self._secrets = secrets
        self._stack = AsyncExitStack()
        self._active: Connection | None = None

    async def __aenter__(self) -> Self:
        self._thread = await self._stack.enter_async_context(
            OneThread("wanted items", self._sever, self._timeout + _CUT_GRACE_S)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self._stack.aclose()

    async def read(self, supplier: str) -> Sheet:
        values = {"supplier": supplier} if "supplier" in self._query.names else {}
        return await self._thread.run(lambda: self._read(values))

    def _read(self, values: Mapping[str, Any]) -> Sheet:
        self._active = None
        try:
            self._active = connection = self._database.connect(read_only=True)
            try:
                stream = connection.stream(self._query, values)
                columns = list(stream.columns)
                rows: list[Row] = []
                while some := stream.fetch(_ROWS_A_FETCH):
                    rows += [Row(number, tuple(cells)) for number, cells in enumerate(some, start=len(rows) + 1)]
            finally:
                self._active = None
                connection.close()
        except self._database.errors as error:
            raise self._explain(error) from None
        return Sheet("the query in [manage_items.sql]", columns, rows)

    def _sever(self) -> None:
        if active := self._active:
            active.sever()

    def _explain(self, error: Exception) -> DaemonError:
        said = excerpt(str(error), self._secrets) or type(error).__name__
        if self._database.meaning(error) in (Fault.AWAY, Fault.BUSY):
            return TemporaryError(f"[manage_items.sql]: {said}; the database cannot be reached, or is busy")
        return ConfigurationError(f"[manage_items.sql] query: {said}; the query and the database do not fit")
