"""whether the program lives and whether it is ready, with the reasons why not"""

from __future__ import annotations

from collections.abc import Iterator

from precoro_daemon.domain.words import span
from precoro_daemon.errors import FatalError
from precoro_daemon.ports import JobPulse, Snapshot


def ailments(snapshot: Snapshot) -> Iterator[str]:
    """Why the process should be started anew. What a restart does not mend is not among them."""
    for job in snapshot.pulse.jobs:
        if job.stuck:
            yield f"{job.name} has given no sign of life for {silence(job, snapshot.now)}"


def obstacles(snapshot: Snapshot) -> Iterator[str]:
    """Why it is not ready. Payments that wait for a person are none."""
    if snapshot.pulse.stopping:
        yield "the program is stopping"
    yield from ailments(snapshot)
    for job in snapshot.pulse.jobs:
        if isinstance(job.trouble, FatalError):
            yield f"{job.name} cannot work: {job.trouble}"
    if snapshot.stored is None:
        yield snapshot.unreadable or "the state has not been read yet"
    elif unlisted := [one.name for one in snapshot.stored.lists if one.as_of is None]:
        yield f"not yet mirrored: {', '.join(unlisted)}"


def silence(job: JobPulse, now: float) -> str:
    return span(now - max(job.heard_at, job.quiet_until))
