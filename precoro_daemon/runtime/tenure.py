"""which worker serves which company of a fleet, and for how long: the rules of leases

Theory of operation
-------------------
A fleet is several workers that share the companies of one database. A worker has one lease, whatever it serves: a row
with the time until which it counts as alive. It extends that row three times within a lease, by one statement for all
its companies, from a thread that does nothing else: a loop that is busy, for example with starting companies,
delays no
renewal. But a loop that hangs serves no company. If it gave no sign of life for two leases, the lease is no longer
renewed, and other workers take its companies when the lease has ended. A company names its holder and an epoch. The
epoch grows by one whenever the company changes hands, and each transaction of the company's state demands holder and
epoch (the fence), so the database itself refuses a worker that was replaced, however late that worker wakes up.

Two clocks judge a lease. Whether *another* worker is alive is decided by the database's clock alone, so the clocks of
the machines may differ by hours. Whether *this* worker's lease still runs, the worker decides by a monotonic clock
that it read before the renewal left. The row is written later than that, so the worker always gives up first. Neither
clock is trusted with money: a suspended machine may not notice that its own clock stood still, and the fence needs no
clock.

What a lease allows shrinks while it ages:

    age of the lease       payments   calls   the companies
    up to two thirds       yes        yes     are served
    up to the whole        no         no      wait for the database
    older                  no         no      stop at once; the worker joins again, under another id

The last third is kept for work in progress: a payment leaves within five seconds of its permit, which is a third of
the shortest lease that a fleet may have. As soon as a renewal fails, no call leaves until one succeeds.

Companies are distributed by targets. Every worker computes the same targets from the same counts: as even as
possible, with the fewest moves, and never more for a worker than it accepts. A worker with too few takes free
companies up to its target. A worker with too many hands back a quarter of the excess at a time, and only when none is
free, so that a growing fleet moves gently; but it hands back companies that it has not begun to serve all at once. A
drained worker hands back everything at once. A company for which only this worker has a file is not distributed: no
other worker could take it, so it comes and stays, whatever the target.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from msgspec import Struct

SHORTEST_LEASE_S = 15.0
"""Its last third is the five seconds within which a permitted payment leaves."""

_RENEWALS = 3
"""How often a lease is renewed before it would end: two renewals may fail."""

_SILENT_LEASES = 2
"""The number of leases for which a loop may give no sign of life: handing over all its companies costs the others
more than a pause. The service manager waits longer (WatchdogSec) before it ends the process.
"""

_SLOWEST_TURN_S = 2.0
"""The most seconds between two searches for companies without a holder."""

_GENTLE = 4
"""The part of the excess, as a divisor, that a worker with too many companies hands back in a turn."""


def renewed_every(lease: float) -> float:
    return lease / _RENEWALS


def turn_every(lease: float) -> float:
    """Returns the seconds between two turns of a worker; a renewal is due in every second one at the latest."""
    return min(_SLOWEST_TURN_S, renewed_every(lease) / 2)


def reserve(lease: float) -> float:
    """Returns the last seconds of a lease, in which nothing irrevocable may begin."""
    return lease / _RENEWALS


def hands_over(silent_for: float, lease: float) -> bool:
    """Returns whether a loop without a sign of life for so long hangs, and leaves its companies to other workers."""
    return silent_for > _SILENT_LEASES * lease


@dataclass(frozen=True, slots=True)
class Standing:
    """A worker's own view of its lease. Times are of its monotonic clock.

    lease       seconds
    renewed_at  read before the last successful renewal was sent
    reachable   whether the last renewal succeeded
    """

    lease: float
    renewed_at: float = -inf
    reachable: bool = False

    @property
    def ends_at(self) -> float:
        return self.renewed_at + self.lease

    def renewal_in(self, now: float) -> float:
        """Returns the seconds until the next renewal. A failed one is repeated in the next turn."""
        return (
            max(0.0, self.renewed_at + renewed_every(self.lease) - now) if self.reachable else turn_every(self.lease)
        )

    def lets_call(self, now: float) -> bool:
        """Returns whether a call may leave that no transaction of the state precedes."""
        return self.reachable and now < self.ends_at - reserve(self.lease)

    def over(self, now: float) -> bool:
        return now >= self.ends_at

    def renewed(self, sent_at: float) -> Standing:
        return Standing(self.lease, sent_at, reachable=True)

    def failed(self) -> Standing:
        return Standing(self.lease, self.renewed_at, reachable=False)


class Holding(Struct, frozen=True):
    """A company that a worker holds.

    schema    the schema of its state
    moved_to  the name of the worker to which a person moved it, if any
    """

    company: str
    epoch: int
    schema: str
    moved_to: str | None = None


class Fleet(Struct, frozen=True):
    """A fleet as a worker sees it in a turn. Only living workers count.

    companies   number of all enrolled companies
    free        number of those without a living holder
    held        number of companies by worker id, without drained workers
    names       names of the workers that are not drained
    most        limits by worker id, for workers that accept only so many companies
    sharing     number of workers that call from this one's address, including itself
    moved_here  free companies that a person moved to this worker: they come whatever its target
    only_here   companies for which only this worker has a file; none of the counts includes them
    """

    companies: int
    free: int
    held: Mapping[str, int]
    names: frozenset[str] = frozenset()
    moved_here: int = 0
    only_here: frozenset[str] = frozenset()
    most: Mapping[str, int] = {}
    sharing: int = 1


class Turn(Struct, frozen=True):
    """What a worker does next.

    take       the most companies to take
    hand_back  companies to hand back
    keep       companies to take in addition, because no other worker can
    """

    take: int
    hand_back: tuple[str, ...]
    keep: tuple[str, ...] = ()


def targets(held: Mapping[str, int], companies: int, most: Mapping[str, int] | None = None) -> Mapping[str, int]:
    """Returns how many companies each worker should have. The numbers differ by at most one, except for workers with
    a limit, and no other distribution needs fewer moves.
    """
    open_, full = dict(held), dict[str, int]()
    each = left = 0
    while open_:
        each, left = divmod(companies - sum(full.values()), len(open_))
        now_full = {worker: bound for worker, bound in (most or {}).items() if worker in open_ and bound <= each}
        if not now_full:
            break
        full |= now_full
        open_ = {worker: count for worker, count in open_.items() if worker not in full}
    ranked = sorted(open_, key=lambda worker: (-open_[worker], worker))
    return full | {worker: each + (place < left) for place, worker in enumerate(ranked)}


def next_turn(
    worker: str, name: str, mine: Sequence[Holding], fleet: Fleet, waiting: Collection[str] = frozenset()
) -> Turn:
    """Returns the worker's next turn.

    worker   its id
    name     its name, by which a person moves companies to it
    waiting  companies that it has not begun to serve
    """
    if worker not in fleet.held:
        return Turn(0, tuple(one.company for one in mine))
    shared = [one for one in mine if one.company not in fleet.only_here]
    elsewhere = [one.company for one in shared if _wanted_elsewhere(one, name, fleet)]
    keep = tuple(sorted(fleet.only_here - {one.company for one in mine}))
    room = dict(fleet.most)
    if worker in room:
        keep = keep[: max(0, room[worker] - len(mine))]
        room[worker] = max(0, room[worker] - len(mine) + len(shared) - len(keep))
    surplus = len(shared) - len(elsewhere) - targets(fleet.held, fleet.companies, room)[worker]
    if surplus <= 0 or fleet.free or elsewhere:
        return Turn(max(0, -surplus, fleet.moved_here), tuple(elsewhere), keep)
    movable = sorted((one.company not in waiting, one.company) for one in shared if one.moved_to != name)
    idle = sum(not begun for begun, _ in movable)
    back = movable[: max(1, surplus // _GENTLE, min(surplus, idle))]
    return Turn(0, tuple(company for _, company in back), keep)


def _wanted_elsewhere(one: Holding, name: str, fleet: Fleet) -> bool:
    return one.moved_to is not None and one.moved_to != name and one.moved_to in fleet.names


def deposed(served: Mapping[str, int], mine: Sequence[Holding]) -> Sequence[str]:
    """Returns the companies that are served here under an epoch that is no longer the database's."""
    now = {one.company: one.epoch for one in mine}
    return [company for company, epoch in served.items() if now.get(company) != epoch]


def start_offset(company: str, period: float) -> float:
    """Returns the seconds into a period at which a company begins: the same on every worker, and spread over the
    whole period.
    """
    digest = hashlib.sha256(company.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * period
