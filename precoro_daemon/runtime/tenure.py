"""who serves which company of a fleet, and for how long: the rules of leases

Theory of operation
-------------------
A fleet is several workers that share the companies of one database. A worker has one lease, whatever it serves: a
row with the time until which it counts as alive. It prolongs that row three times within a lease, by one statement
for all its companies, from a thread that does nothing else: what holds up the loop, such as companies that start,
holds up no renewal. But a loop that is stuck serves nobody. One that gave no sign of life for two leases is renewed
no more, and other workers take its companies when the lease has ended. A company names its holder and an epoch. The
epoch grows by one whenever the company changes hands, and each transaction of the company's state demands holder and
epoch (the fence), so the database itself refuses a worker that was replaced, however late that worker wakes up.

Two clocks judge a lease. Whether *another* worker is alive is a question to the database's clock alone, so the clocks
of the machines may differ by hours. Whether *this* worker's lease still runs, the worker judges by a monotonic clock
that it read before the renewal left. The row is written later than that, so the worker always gives up first. Neither
clock is trusted with money: a machine that is suspended may not see its own clock stand still, and the fence needs
none.

What a lease allows shrinks while it ages:

    age of the lease       payments   calls   the companies
    up to two thirds       yes        yes     are served
    up to the whole        no         no      wait for the database
    older                  no         no      stop at once; the worker joins anew, under another id

The last third is kept for what is under way: a payment leaves within five seconds of its permit, which is a third of
the shortest lease that a fleet may have. As soon as a renewal fails, no call leaves until one succeeds.

Companies are spread by targets. Every worker computes the same targets from the same counts: as even as possible, and
with the fewest moves, and no more for a worker than it says it takes. A worker with too few takes what is free, up to
its target. One with too many hands back a quarter of the excess at a time, and only when nothing is free, so that a
fleet that grows moves gently; but what it has not begun to serve, all of it at once. A drained worker hands back
everything at once. A company for which this worker alone has a file is no part of that: nobody else could take it, so
it comes and stays, whatever the target.
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
"""A lease is renewed so many times before it would end: two may fail."""

_SILENT_LEASES = 2
"""For so many leases a loop may give no sign of life: a hand-over of all its companies costs the others more than a
pause. The service manager waits longer (WatchdogSec) before it ends the process."""

_SLOWEST_TURN_S = 2.0
"""Seconds between two searches for companies that nobody serves, at most."""

_GENTLE = 4
"""A worker with too many companies hands back this part of the excess in a turn."""


def renewed_every(lease: float) -> float:
    return lease / _RENEWALS


def turn_every(lease: float) -> float:
    """Seconds between two turns of a worker; a renewal is due in every second one at the latest."""
    return min(_SLOWEST_TURN_S, renewed_every(lease) / 2)


def reserve(lease: float) -> float:
    """Seconds of a lease in which nothing new may begin that cannot be taken back."""
    return lease / _RENEWALS


def hands_over(silent_for: float, lease: float) -> bool:
    """Whether a loop that gave no sign of life for so many seconds is stuck, and leaves its companies to others."""
    return silent_for > _SILENT_LEASES * lease


@dataclass(frozen=True, slots=True)
class Standing:
    """A worker's own judgement of its lease. Times are of its monotonic clock.

    lease       seconds
    renewed_at  read before the last renewal that succeeded was sent
    reachable   the last renewal succeeded
    """

    lease: float
    renewed_at: float = -inf
    reachable: bool = False

    @property
    def ends_at(self) -> float:
        return self.renewed_at + self.lease

    def renewal_in(self, now: float) -> float:
        """Seconds until the next one. One that failed is tried again in the next turn."""
        return (
            max(0.0, self.renewed_at + renewed_every(self.lease) - now) if self.reachable else turn_every(self.lease)
        )

    def lets_call(self, now: float) -> bool:
        """Whether a call may leave that no transaction of the state goes before."""
        return self.reachable and now < self.ends_at - reserve(self.lease)

    def over(self, now: float) -> bool:
        return now >= self.ends_at

    def renewed(self, sent_at: float) -> Standing:
        return Standing(self.lease, sent_at, reachable=True)

    def failed(self) -> Standing:
        return Standing(self.lease, self.renewed_at, reachable=False)


class Holding(Struct, frozen=True):
    """A company that a worker holds. `schema`: that of its state · `moved_to`: the name of the worker that a person
    moved it to, if any"""

    company: str
    epoch: int
    schema: str
    moved_to: str | None = None


class Fleet(Struct, frozen=True):
    """What a worker sees of its fleet in a turn. Only living workers count.

    companies  of all that are enrolled
    free       of them, those without a living holder
    held       companies by the id of each worker that is not drained
    names      of the workers that are not drained
    most       of those that take no more than so many companies: by their ids
    sharing    workers that call by the address of this one, itself among them
    moved_here free ones that a person moved to this worker: they come whatever its target
    only_here  those that this worker alone has a file for; they are in none of the counts
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
    """What a worker does next. `take`: at most so many companies · `hand_back`: these · `keep`: takes these too, as
    nobody else can"""

    take: int
    hand_back: tuple[str, ...]
    keep: tuple[str, ...] = ()


def targets(held: Mapping[str, int], companies: int, most: Mapping[str, int] | None = None) -> Mapping[str, int]:
    """How many companies each worker should have: they differ by one at most, but for those that take no more, and no
    spread needs fewer moves."""
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
    """`worker`: the id of this one · `name`: its name, by which a person moves companies to it · `waiting`: companies
    that it has not begun to serve"""
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
    """Companies that are served here by an epoch that is not the database's any more."""
    now = {one.company: one.epoch for one in mine}
    return [company for company, epoch in served.items() if now.get(company) != epoch]


def start_offset(company: str, period: float) -> float:
    """Seconds into a period at which a company begins: the same on every worker, and spread over all of it."""
    digest = hashlib.sha256(company.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * period
