"""how the C library keeps the memory of many threads"""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_ARENA_MAX = -8
"""https://man7.org/linux/man-pages/man3/mallopt.3.html"""


def share_one_heap() -> None:
    """Threads that are made from now on take memory from one heap: with one of its own for each, what one thread gave
    back is of no use to the others. A MB less for each company. Only glibc has this; elsewhere nothing happens."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
