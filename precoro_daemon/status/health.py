"""whether the program is alive and ready, with the reasons if not"""

from __future__ import annotations

from collections.abc import Iterator

from precoro_daemon.errors import FatalError
from precoro_daemon.runtime.ports import PartPulse
from precoro_daemon.status.snapshot import Snapshot
from precoro_daemon.values.humanize import span


def ailments(snapshot: Snapshot) -> Iterator[str]:
    """Yields why the process should be restarted, without what a restart cannot mend."""
    for part in snapshot.pulse.parts:
        if part.stuck:
            yield f"{part.name} has given no sign of life for {silence(part, snapshot.now)}"


def obstacles(snapshot: Snapshot) -> Iterator[str]:
    """Yields why it is not ready. Payments that wait for a person are no reason."""
    if snapshot.pulse.stopping:
        yield "the program is stopping"
    yield from ailments(snapshot)
    for job in snapshot.pulse.jobs:
        if isinstance(job.trouble, FatalError):
            yield f"{job.name} cannot work: {job.trouble}"
    if snapshot.unreadable:
        yield snapshot.unreadable
    if snapshot.stored is None:
        if not snapshot.unreadable:
            yield "the state has not been read yet"
    elif unlisted := [one.name for one in snapshot.stored.mirrored if one.as_of is None]:
        yield f"not yet mirrored: {', '.join(unlisted)}"


def silence(part: PartPulse, now: float) -> str:
    return span(now - max(part.heard_at, part.quiet_until))
