"""the number of files and sockets that the process may open"""

from __future__ import annotations

import resource
from contextlib import suppress


def allow_descriptors(wanted: int) -> int:
    """Raises the limit to `wanted` as far as the system allows, never lowers it, and returns the resulting limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    reached = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (reached, hard))
        return reached
    return soft
