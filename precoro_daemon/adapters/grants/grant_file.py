"""a grant's file: private, with one writer at a time, and never half written"""

from __future__ import annotations

import fcntl
import os
import pwd
import shlex
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import anyio

from precoro_daemon.adapters.grants.grant import Grant, GrantUnreadable
from precoro_daemon.errors import LedgerMisfit, TemporaryError

_GRANT_MODE = 0o600
_ROOM_BYTES = 16 * 2**10
"""More bytes than any grant takes: Entra's tokens have some 3,000 characters each."""

_LARGEST_GRANT_BYTES = 2**18
_LOCK_POLL_S = 0.05
_LOCK_PATIENCE_S = 60.0
"""Seconds: longer than a refresh by another process may take."""

_OPEN_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class GrantFile:
    """Its methods block, except `alone`. Its lock file stays beside it, and a partial file exists for moments."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = path.with_name(f".{path.name}.partial")
        self._lock = path.with_name(f".{path.name}.lock")

    def read(self) -> Grant | None:
        """Returns the grant, None if there is none. Raises LedgerMisfit if others can read the file, or it is no
        grant.
        """
        raw = self._content(self.path)
        if raw is None:
            return None
        try:
            return Grant.read(raw)
        except GrantUnreadable as error:
            raise LedgerMisfit(f"the grant file {self.path}: {error}; remove it, and log in again") from None

    def recovered(self) -> Grant | None:
        """Does the same within `alone`, and adopts a partial file that a killed process completed but did not
        rename.
        """
        grant, left = self.read(), self._left_behind()
        if grant is not None and left is not None and left.serial == grant.serial + 1:
            os.replace(self._partial, self.path)  # noqa: PTH105 - beside fsync, as in `write`
            self._fsync_directory()
            return left
        return grant

    def _left_behind(self) -> Grant | None:
        try:
            raw = self._content(self._partial)
            return None if raw is None else Grant.read(raw)
        except (LedgerMisfit, GrantUnreadable):
            return None

    def write(self, grant: Grant) -> Grant:
        """Writes the grant durably, within `alone`, and returns it as written. Raises TemporaryError and keeps the
        old one.
        """
        following = replace(grant, serial=grant.serial + 1)
        try:
            with _descriptor(self._partial, os.O_WRONLY | os.O_CREAT) as file:
                self._hand_over(file)
                os.pwrite(file, following.raw, 0)
                os.ftruncate(file, len(following.raw))
                os.fsync(file)
            os.replace(self._partial, self.path)  # noqa: PTH105
            self._fsync_directory()
        except OSError as error:
            raise self._unwritable(error) from None
        return following

    def make_room(self) -> None:
        """Reserves disk space, within `alone`, before the vendor is asked, so that its answer does not meet a full
        disk.
        """
        try:
            self._partial.unlink(missing_ok=True)
            with _descriptor(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
                self._hand_over(file)
                os.posix_fallocate(file, 0, _ROOM_BYTES)
                os.fsync(file)
        except OSError as error:
            raise self._unwritable(error) from None

    def delete(self) -> None:
        """Deletes the file, within `alone`."""
        self._partial.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self._fsync_directory()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Excludes every other task and process: two concurrent refreshes would invalidate each other's grant.

        Raises TemporaryError if another one does not end.
        """
        lock = await anyio.to_thread.run_sync(self._open_lock)
        try:
            await self._acquire(lock)
            yield
        finally:
            os.close(lock)

    async def _acquire(self, lock: int) -> None:
        with anyio.move_on_after(_LOCK_PATIENCE_S):
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                await anyio.sleep(_LOCK_POLL_S)
        raise TemporaryError(f"the grant file {self.path}: another process has held its lock for a minute")

    def _open_lock(self) -> int:
        try:
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT | _OPEN_FLAGS, _GRANT_MODE)
        except OSError as error:
            raise self._unwritable(error) from None
        self._hand_over(lock)
        return lock

    def _content(self, path: Path) -> bytes | None:
        try:
            with _descriptor(path, os.O_RDONLY) as file:
                self._refuse_if_shared(path, os.fstat(file))
                return os.read(file, _LARGEST_GRANT_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            why = "it is a link" if path.is_symlink() else (error.strerror or type(error).__name__).lower()
            raise LedgerMisfit(f"the grant file {path} is not read: {why}") from None

    def _refuse_if_shared(self, path: Path, status: os.stat_result) -> None:
        shown = shlex.quote(str(path))
        mode = stat.S_IMODE(status.st_mode)
        if not stat.S_ISREG(status.st_mode):
            raise LedgerMisfit(f"the grant file {path} is not read: it is no regular file")
        if status.st_uid != (owner := self._owner()[0]):
            whose, me = _user(status.st_uid), _user(owner)
            raise LedgerMisfit(
                f"the grant file {path} is not read: it belongs to {whose}, not to {me}; log in as the user of the"
                f" service, or run: chown {me} {shown}"
            )
        if mode & 0o077:
            raise LedgerMisfit(
                f"the grant file {path} is not read: others can (mode {mode:04o}); if nobody did, run: chmod 600"
                f" {shown}, else log out and in again"
            )

    def _owner(self) -> tuple[int, int]:
        """Returns the user and group that must own the file: this user's, or for root those of the directory's owner,
        who may be
        a dynamic user of the service. Raises LedgerMisfit if anyone could put a file there.
        """
        directory = self.path.parent.stat()
        if directory.st_mode & stat.S_IWOTH:
            raise LedgerMisfit(f"everyone may write into {self.path.parent}: that is no place for a grant")
        return (directory.st_uid, directory.st_gid) if os.geteuid() == 0 else (os.geteuid(), os.getegid())

    def _hand_over(self, file: int) -> None:
        owner = self._owner()
        os.fchmod(file, _GRANT_MODE)
        if os.geteuid() == 0:
            os.fchown(file, *owner)

    def _fsync_directory(self) -> None:
        with _descriptor(self.path.parent, os.O_RDONLY | os.O_DIRECTORY) as directory:
            os.fsync(directory)

    def _unwritable(self, error: OSError) -> TemporaryError:
        why = (error.strerror or type(error).__name__).lower()
        return TemporaryError(f"the grant file {self.path} cannot be written: {why}")


class _descriptor:  # noqa: N801 - used as a function, like `open`
    def __init__(self, path: Path, flags: int) -> None:
        self._file = os.open(path, flags | _OPEN_FLAGS, _GRANT_MODE)

    def __enter__(self) -> int:
        return self._file

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
