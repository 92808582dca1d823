"""the errors of the file system, explained to the operator"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from precoro_daemon.errors import DiskFault, DiskFull, FolderUnusable

_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})

_REASON_BY_ERRNO = {
    errno.EROFS: "the disk is mounted for reading only",
    errno.EACCES: "the user who runs this may not write there",
    errno.EPERM: "the user who runs this may not write there",
    errno.ELOOP: "a symbolic link is in the way, and none is followed here",
    errno.ENOTDIR: "something that is no directory is in the way",
    errno.EISDIR: "a directory is in the way",
    errno.ENOENT: "it does not exist",
    errno.EEXIST: "something of that name is in the way",
    errno.EFBIG: "the file system does not take so large a file",
    errno.ENAMETOOLONG: "the file system does not take so long a name",
}


@contextmanager
def explained(where: object) -> Iterator[None]:
    """Turns the file system's errors about a place into DiskFull, DiskFault or FolderUnusable."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL_ERRNOS:
            raise DiskFull(f"the disk of {where} is full") from error
        if error.errno == errno.EIO:
            raise DiskFault(f"the disk of {where} fails: {error.strerror}") from error
        reason = _REASON_BY_ERRNO.get(error.errno or 0, error.strerror or type(error).__name__)
        raise FolderUnusable(f"{where}: {reason}") from error
