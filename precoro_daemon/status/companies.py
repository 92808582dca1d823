"""many companies in one process: the standing of each, and what needs a person"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from precoro_daemon.status.attention import matters
from precoro_daemon.status.snapshot import Snapshot, Watcher
from precoro_daemon.values.humanize import span

Standing = Literal["starting", "running", "waiting", "refused", "stopping", "elsewhere"]
"""starting   for the first time
waiting    until it is tried again, or a worker takes it
refused    its file has mistakes
elsewhere  another worker of the fleet serves it
"""


@dataclass(frozen=True, slots=True)
class CompanyGlance:
    """One company at a moment.

    reason    why it is not served, or runs with former settings; "" if all is as its file says
    snapshot  None if nothing is known about it
    worker    the worker of a fleet that serves it; "" if none does, or there is no fleet
    """

    name: str
    standing: Standing
    reason: str = ""
    snapshot: Snapshot | None = None
    worker: str = ""

    @property
    def needs(self) -> str:
        """What needs a person, in a few words; "" if nothing does."""
        found = [] if self.snapshot is None else matters(self.snapshot)
        more = f", and {len(found) - 1} more" if found[1:] else ""
        return self.reason or (f"{found[0].title}{more}" if found else "")

    @property
    def urgent(self) -> bool:
        found = [] if self.snapshot is None else matters(self.snapshot)
        return bool(self.reason) or any(matter.weight == "urgent" for matter in found)

    @property
    def left_today(self) -> int | None:
        """The calls left today; None if unknown, or if a day has no limit."""
        return None if self.snapshot is None else self.snapshot.quota.left.get("day")

    @property
    def as_of(self) -> str:
        """The age of the oldest list in words; "" if unknown."""
        stored = None if self.snapshot is None else self.snapshot.stored
        if self.snapshot is None or stored is None:
            return ""
        known = [one.as_of for one in stored.mirrored if one.as_of is not None]
        if len(known) < len(stored.mirrored):
            return "first scans"
        return f"{span(self.snapshot.now - min(known))} ago" if known else ""


class FleetWatcher(Protocol):
    """Returns glances at all companies, by name. Its methods never raise, and never delay the program."""

    def glance(self) -> Sequence[CompanyGlance]:
        """Returns at once, with the states as they were last read."""
        ...

    async def renew(self, patience: float) -> Sequence[CompanyGlance]:
        """Returns with fresh readings of the states that are due for one, as far as `patience` (real seconds)
        allows.
        """
        ...

    def watcher(self, name: str) -> Watcher | None:
        """Returns one company's watcher, None if it is not served at present."""
        ...
