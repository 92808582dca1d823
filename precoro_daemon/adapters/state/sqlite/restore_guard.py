"""the restore guard as a file beside the state"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from precoro_daemon.adapters.state.restore_guard import Testimony
from precoro_daemon.adapters.state.sqlite.ownership import hand_over

_LENGTH = 120
"""Bytes, written at once: less than a disk's sector, which is written completely or not at all."""


class RestoreGuardFile:
    """Implements `RestoreGuard`. The file contains its own inode number, so a copy is recognised."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._path = state.with_name(f"{state.name}.armed")

    @property
    def path(self) -> Path:
        return self._path

    def create(self) -> Testimony:
        """Arms: creates the file. The file and its name are durable on return."""
        self._path.unlink(missing_ok=True)
        testimony = Testimony(secrets.token_hex(8))
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        hand_over(self._path, self._state)
        _write(descriptor, testimony)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return testimony

    def demand(self) -> Testimony:
        """Returns the content. Raises OSError if there is no file."""
        known = self.read()
        if known is None:
            raise FileNotFoundError(f"{self._path} is gone or is not the one that was armed")
        return known

    def advance(self, seq: int, row: str) -> None:
        """Records that something is about to be sent under this journal row."""
        _write(os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW), Testimony(self.demand().nonce, seq, row))

    def read(self) -> Testimony | None:
        """Returns the content, None if there is no file, or one that was copied here."""
        try:
            with self._path.open("rb") as file:
                nonce, seq, row, inode = file.read(_LENGTH).decode("ascii").split()
                known = int(inode) == os.fstat(file.fileno()).st_ino
                return Testimony(nonce, int(seq), row) if known else None
        except (FileNotFoundError, ValueError):
            return None

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


def _write(descriptor: int, testimony: Testimony) -> None:
    try:
        line = f"{testimony.nonce} {testimony.seq} {testimony.row} {os.fstat(descriptor).st_ino}"
        os.pwrite(descriptor, line.ljust(_LENGTH - 1).encode("ascii") + b"\n", 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
