"""a file that appears complete and durable under its name, readable by its owner alone"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from precoro_daemon.errors import FolderUnusable

_EXPORT_MODE = 0o600
"""Readable by the owner alone: it holds a company's prices and payments."""

_DEVICES = Path("/dev")
"""Never replaced: a root process could replace /dev/null or /dev/stdout and break the machine."""


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Yields a temporary file that is renamed to `path` at the end. After a failure `path` is as it was.

    Raises FolderUnusable. Blocking.
    """
    if (path.exists() and not path.is_file()) or path.parent.resolve() == _DEVICES:
        raise FolderUnusable(f"{path} is no place for a file; - is the standard output")
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with suppress(FileNotFoundError):
            partial.unlink()
        # A link that somebody put in its place is not followed.
        descriptor = os.open(
            partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _EXPORT_MODE
        )
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _make_durable(path.parent)
    except OSError as error:
        raise FolderUnusable(f"{path} cannot be written: {(error.strerror or str(error)).lower()}") from None
    finally:
        with suppress(OSError):
            partial.unlink()


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
