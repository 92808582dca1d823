"""paths below the root, opened folder by folder without following symbolic links"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_PARTIAL = ".part"
_A_PARTIAL = re.compile(r"\.\d+\.part")

FOLDER_MODE = 0o750
FILE_MODE = 0o440
"""Read-only: an editor that saves over a mirrored file would also change its duplicates."""

MANIFEST = "manifest.jsonl"

PREFIX = "."
"""Prefix of the program's own names: files being written, and the directory's mark."""

_READ_BLOCK_BYTES = 2**20
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})


@contextmanager
def parent(root: int, path: str, *, make: bool) -> Iterator[tuple[int, str]]:
    """Yields the descriptor of the folder that holds `path`, and the name in it. Folders it creates are durable."""
    *folders, name = path.split("/")
    with ExitStack() as stack:
        here = root
        for folder in folders:
            below = _enter(here, folder, make=make)
            stack.callback(os.close, below)
            here = below
        yield here, name


def _enter(here: int, folder: str, *, make: bool) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(folder, flags, dir_fd=here)
    except FileNotFoundError:
        if not make:
            raise
    try:
        os.mkdir(folder, FOLDER_MODE, dir_fd=here)
        os.fsync(here)
    except FileExistsError:
        return os.open(folder, flags, dir_fd=here)  # another download made it in this moment
    return os.open(folder, flags, dir_fd=here)


def partial_of(path: str) -> str:
    """Returns the name under which a file is written: in the same folder, so that it can be renamed on any file
    system.
    """
    folder, _, name = path.rpartition("/")
    return f"{folder}/{PREFIX}{name.partition('__')[0]}{_PARTIAL}"


def give_name(root: int, path: str, *, replaces: bool) -> None:
    """Renames the partial file of `path` to its final name, durably. Raises FileExistsError if that is someone
    else's.
    """
    with parent(root, path, make=False) as (folder, name):
        partial = partial_of(path).rpartition("/")[2]
        if replaces:
            os.replace(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            _name_anew(folder, partial, name)
        unlink(folder, partial)  # a second name of the same file: rename leaves that alone, link is one
        os.fsync(folder)


def _name_anew(folder: int, partial: str, name: str) -> None:
    """Uses a link, which unlike a rename never replaces an existing file."""
    try:
        os.link(partial, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if _exists(folder, name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        os.rename(partial, name, src_dir_fd=folder, dst_dir_fd=folder)


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def duplicate(root: int, path: str, of: str, *, replaces: bool) -> bool:
    """Makes `path` another name of the file `of`. Returns False if the file system has no hard links."""
    with parent(root, of, make=False) as (there, name), parent(root, path, make=True) as (here, _):
        partial = partial_of(path).rpartition("/")[2]
        unlink(here, partial)
        try:
            os.link(name, partial, src_dir_fd=there, dst_dir_fd=here, follow_symlinks=False)
        except OSError as error:
            if error.errno in _NO_HARD_LINKS:
                return False
            raise
    give_name(root, path, replaces=replaces)
    return True


def unlink(folder: int, name: str) -> None:
    """Removes the name, whatever it is."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def stat_of(root: int, path: str) -> os.stat_result | None:
    """Returns the status of the path, None if it does not exist."""
    try:
        with parent(root, path, make=False) as (folder, name):
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def digest(root: int, path: str) -> tuple[int, bytes] | None:
    """Returns the length and SHA-256 of a plain file, None if there is none."""
    try:
        with parent(root, path, make=False) as (folder, name):
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            return None
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        return None
    with os.fdopen(file, "rb", buffering=0) as reader:
        hashed = hashlib.sha256()
        length = 0
        while block := reader.read(_READ_BLOCK_BYTES):
            hashed.update(block)
            length += len(block)
        return length, hashed.digest()


def kept_files(root: Path) -> Iterator[str]:
    """Yields every file below the root in order, without the program's own and without following links."""
    return (path for path in _files_below(root) if path != MANIFEST and not _name(path).startswith(PREFIX))


def partials(root: Path) -> Iterator[str]:
    """Yields every file that is being written, or was left partial by a killed process."""
    return (path for path in _files_below(root) if _A_PARTIAL.fullmatch(_name(path)))


def _files_below(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root, followlinks=False):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        folders[:] = sorted(set(folders) - set(links))
        for name in sorted([*names, *links]):
            # A name that is no UTF-8 can be neither looked up nor printed.
            yield os.fsencode(Path(folder, name).relative_to(root)).decode("utf-8", "replace")


def _name(path: str) -> str:
    return path.rpartition("/")[2]
