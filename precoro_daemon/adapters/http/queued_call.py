"""one call on its way through the gate: waiting, leaving, in flight"""

from __future__ import annotations

from dataclasses import dataclass, field

from precoro_daemon.adapters.http.exchange import Request
from precoro_daemon.quota.budget import Charge, Key
from precoro_daemon.quota.limits import Lane
from precoro_daemon.quota.pacing import Trip
from precoro_daemon.runtime.nap import Nap


@dataclass(eq=False, slots=True)
class QueuedCall:
    """nap      its wait for its turn
    booked   its time in the book, None if it is not booked
    charge   its place in the budget once it may leave
    sent_at  when its request was written
    trip     its way since then
    """

    request: Request
    arrival: int
    key: Key
    nap: Nap = field(default_factory=Nap)
    booked: float | None = None
    charge: Charge | None = None
    sent_at: float | None = None
    trip: Trip | None = None

    @property
    def lane(self) -> Lane:
        return self.request.lane

    @property
    def rank(self) -> tuple[Lane, int]:
        return (self.lane, self.arrival)
