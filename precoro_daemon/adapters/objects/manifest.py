"""the list of kept files, one JSON object a line, beside the files"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import orjson

from precoro_daemon.adapters.objects.failures import explained
from precoro_daemon.adapters.objects.paths import MANIFEST
from precoro_daemon.files.manifest import manifest_fields
from precoro_daemon.files.ports.attachment_book import StoredFile

_TAIL = 2**20
"""Bytes at the end of the manifest that are sure to contain the start of its last line."""

_MODE = 0o640


class Manifest:
    """Each line has its file's `seq`, and the last complete line shows which files are still to be added. So no file
    is
    missing or listed twice, however often the program was killed.
    """

    def __init__(self, root: int, directory: Path) -> None:
        self._root = root
        self._shown = directory / MANIFEST

    def end(self) -> int:
        """Returns the `seq` of the last complete line, 0 if there is none, and cuts off an incomplete line at the
        end.
        """
        with explained(self._shown):
            try:
                file = os.open(MANIFEST, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._root)
            except FileNotFoundError:
                return 0
            try:
                return _last_seq(file)
            finally:
                os.close(file)

    def write(self, lines: Sequence[StoredFile], *, anew: bool) -> None:
        """Appends the lines durably, or atomically replaces the list by a new one that begins with them."""
        name = f".{MANIFEST}.new" if anew else MANIFEST
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_TRUNC if anew else 0)
        text = b"".join(map(_line, lines))
        with explained(self._shown):
            with os.fdopen(os.open(name, flags, _MODE, dir_fd=self._root), "ab") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if anew:
                os.replace(name, MANIFEST, src_dir_fd=self._root, dst_dir_fd=self._root)
            os.fsync(self._root)


def _last_seq(file: int) -> int:
    size = os.fstat(file).st_size
    tail = os.pread(file, _TAIL, max(size - _TAIL, 0))
    whole = tail[: tail.rfind(b"\n") + 1]
    if len(whole) < len(tail):
        os.ftruncate(file, size - (len(tail) - len(whole)))
    try:
        return int(orjson.loads(whole.splitlines()[-1])["seq"])
    except (IndexError, KeyError, TypeError, ValueError):
        return 0


def _line(stored: StoredFile) -> bytes:
    return orjson.dumps(manifest_fields(stored)) + b"\n"
