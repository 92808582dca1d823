"""opens regular files only, because a pipe could block for ever"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


class NotRegular(OSError):
    """The path leads to a pipe, a device or the like."""


def open_regular(path: Path) -> BinaryIO:
    """Opens a file for reading.

    Raises OSError (NotRegular if it is not a regular file), and ValueError if the path is not valid.
    """
    file = open(path, "rb", opener=_at_once)  # noqa: SIM115 - it is handed on
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotRegular
    return file


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
