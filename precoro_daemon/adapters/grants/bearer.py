"""a grant as tokens for a ledger, refreshed in time and never lost by a crash"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import anyio

from precoro_daemon.adapters.grants.grant import Grant
from precoro_daemon.adapters.grants.grant_file import GrantFile
from precoro_daemon.adapters.grants.token_endpoint import GrantRefused, refreshed
from precoro_daemon.adapters.host.threads import to_end
from precoro_daemon.errors import LedgerMisfit, LoginNeeded, TemporaryError
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_LOGIN_RECHECK_S = 60.0
"""Seconds after which a ledger without a login reads the file again, so that no service has to be restarted."""

_ASK_AGAIN_S = 3600.0
"""A refused grant is retried once an hour: that costs little, and vendors have refused good grants for a time."""


class GrantBearer:
    """Implements `Bearer`. Any number of tasks and processes may share the file.

    command  the name of this program, for messages that say what to type
    """

    def __init__(
        self, file: GrantFile, kind: str, command: str = "precoro-daemon", now: Callable[[], float] = time.time
    ) -> None:
        self._file = file
        self._kind = kind
        self._login = f"{command} ledger login {kind}"
        self._now = now

    async def token(self) -> str:
        grant = await anyio.to_thread.run_sync(self._file.read)
        if grant is None or not grant.is_fresh(self._now()):
            grant = await self._refreshed()
        return grant.access_token

    async def take(self, grant: Grant, whose: str) -> None:
        """Saves the grant of a login in place of the old one. Raises TemporaryError."""
        async with self._file.alone():
            former = await anyio.to_thread.run_sync(self._former)
            await self._write(replace(grant, whose=whose, serial=former))

    def _former(self) -> int:
        try:
            grant = self._file.recovered()
        except LedgerMisfit:  # others can read it, or it is no grant: all the better that it goes
            return 0
        return grant.serial if grant else 0

    async def renew(self, refused: str) -> None:
        async with self._file.alone():
            grant = await anyio.to_thread.run_sync(self._file.recovered)
            if grant is not None and grant.access_token == refused:
                await self._write(replace(grant, access_token=""))

    async def _refreshed(self) -> Grant:
        async with self._file.alone():
            grant = await anyio.to_thread.run_sync(self._file.recovered)
            if grant is None:
                raise _awaited(f"there is no grant {self._file.path} yet; run: {self._login}")
            now = self._now()
            if grant.is_fresh(now):  # another process was faster
                return grant
            if grant.lost and grant.lost_at <= now < grant.lost_at + _ASK_AGAIN_S:
                raise self._login_needed(grant.lost)
            # A cancelled refresh would be a lost answer, and so perhaps a lost grant. It ends in seconds.
            return await to_end(self._refresh(grant, now))

    async def _refresh(self, grant: Grant, now: float) -> Grant:
        begun = await self._write(replace(grant, begun_at=grant.begun_at or now))
        await anyio.to_thread.run_sync(self._file.make_room)
        try:
            answer = await refreshed(grant)
        except GrantRefused as error:
            why = "; a refresh had been cut off, and its answer with it" if grant.begun_at and not grant.lost else ""
            lost = f"{error}{why}"
            await self._write(replace(begun, access_token="", lost=lost, lost_at=now, trouble=lost))
            raise self._login_needed(lost) from None
        except (TemporaryError, LedgerMisfit) as error:
            await self._write(replace(begun, trouble=str(error)))
            raise
        renewed = await self._write(begun.renewed(answer, now))
        _log.info("grant_refreshed", ledger=grant.kind, lasts=round(answer.lasts))
        return renewed

    async def _write(self, grant: Grant) -> Grant:
        return await anyio.to_thread.run_sync(self._file.write, grant)

    def _login_needed(self, said: str) -> LoginNeeded:
        return _awaited(f"{self._kind} does not know the grant any more ({said}); run: {self._login}")


def _awaited(message: str) -> LoginNeeded:
    error = LoginNeeded(message)
    error.recheck_s = _LOGIN_RECHECK_S
    return error
