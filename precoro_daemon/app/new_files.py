"""files that are made together or not at all"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from precoro_daemon.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class NewFile:
    """mode: of a file that holds a secret, 0600"""

    path: Path
    text: str
    mode: int = 0o644


def free_path(path: Path) -> Path:
    """This one or, where something is there, the next of its name with a number."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return next(one for one in chain([path], numbered) if not one.exists())


def write_together(files: Sequence[NewFile], *, replace: bool) -> Sequence[Path]:
    """Where what was in their places is kept; only with `replace` may anything be there. Durable on return. Blocking.

    Raises ConfigurationError, and then, as when it is interrupted, leaves everything as it was.
    """
    if not replace and (taken := [str(file.path) for file in files if os.path.lexists(file.path)]):
        raise ConfigurationError("\n".join(f"{path} is there already, and is not replaced" for path in taken))
    kept: list[Path] = []
    with ExitStack() as undo, ExitStack() as partials:
        try:
            for directory in dict.fromkeys(file.path.parent for file in files):
                _make(directory, undo)
            written = [(file, _write_partial(file, partials)) for file in files]
            for file, partial in written:
                kept += _put_away(file.path, undo) if replace else ()
                os.link(partial, file.path)
                undo.callback(file.path.unlink)
            for directory in {file.path.parent for file in files}:
                _fsync(directory)
        except FileExistsError as error:
            raise ConfigurationError(f"{error.filename2 or error.filename} is there already") from None
        except OSError as error:
            where = error.filename or files[0].path
            raise ConfigurationError(f"{where}: cannot be written: {(error.strerror or '').lower()}") from None
        undo.pop_all()
    return kept


def _make(directory: Path, undo: ExitStack) -> None:
    for one in reversed([directory, *directory.parents]):
        if not one.exists():
            one.mkdir()
            undo.callback(one.rmdir)


def _write_partial(file: NewFile, partials: ExitStack) -> Path:
    partial = file.path.with_name(f".{file.path.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, file.mode)
    partials.callback(partial.unlink, missing_ok=True)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(file.text)
        opened.flush()
        os.fsync(descriptor)
    return partial


def _put_away(path: Path, undo: ExitStack) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        backup = path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}.bak")
        path.rename(backup)
        undo.callback(backup.rename, path)
        yield backup


def _fsync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, text: str) -> None:
    """The old text or the new one is there at every moment, with the rights of the old file. Durable on return.
    Blocking. Raises ConfigurationError, and then nothing has changed."""
    path = path.resolve()
    try:
        status = path.stat()
        with ExitStack() as partials:
            partial = _write_partial(NewFile(path, text, status.st_mode & 0o777), partials)
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(partial, status.st_uid, status.st_gid)
            partial.chmod(status.st_mode & 0o777)
            partial.replace(path)
            _fsync(path.parent)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {(error.strerror or '').lower()}") from None
