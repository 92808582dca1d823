"""how many files and sockets the process may have open"""

from __future__ import annotations

import resource
from contextlib import suppress


def allow_descriptors(wanted: int) -> int:
    """Raise the limit to so many, as far as the system lets us, and never lower it; gives what stands then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    reached = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (reached, hard))
        return reached
    return soft
