"""opens what is a regular file: a pipe may be waited for, for ever"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


class NotRegular(OSError):
    """What bears the name is a pipe, a device or the like."""


def open_regular(path: Path) -> BinaryIO:
    """For reading. Raises OSError, NotRegular among them, and ValueError for what is no path."""
    file = open(path, "rb", opener=_at_once)  # noqa: SIM115 - it is handed on
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotRegular
    return file


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
