"""takes a snapshot from a reading of the state, the account of calls, and a service's signs of life"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from math import floor
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from precoro_daemon.mirror.rules.cursors import Cursor, census_due
from precoro_daemon.payments.rules.needs import lacking
from precoro_daemon.quota.limits import SECONDS, Lane
from precoro_daemon.status.freshness import delays_by_hour, freshness_of
from precoro_daemon.status.history import by_day
from precoro_daemon.status.reading import CollectionState, Overview
from precoro_daemon.status.snapshot import (
    CollectionStatus,
    Hour,
    Live,
    Outlook,
    PaymentStatus,
    Quota,
    Snapshot,
    Stored,
)

if TYPE_CHECKING:
    from precoro_daemon.payments.rules.states import Direction
    from precoro_daemon.quota.budget import Budget
    from precoro_daemon.status.grants import GrantStatus

_HOUR_S = SECONDS["hour"]
_HOURS_SHOWN = 24
_CHANGES_SHOWN_S = 30 * SECONDS["day"]
"""Seconds for which a change of an answer is shown if nothing else is affected."""


class Scope(Struct, frozen=True):
    """What the configuration says of it.

    mirrored      collections, in their order; detailed: those whose details are wanted
    census_every, overlap  seconds
    credentials   the fingerprint of those in use
    ledger        its name, None where there is none; pays: the jobs of payments that are enabled
    accepted      fields of Precoro's answers that payments do without
    kill_switch   the path of that file
    webhooks      they come in somewhere
    exports       their names
    command       how this program is called with this configuration
    company       its name, "" where the configuration gives it none
    """

    mirrored: Sequence[str]
    detailed: Collection[str]
    census_every: float
    overlap: float = 0.0
    credentials: str = ""
    ledger: str | None = None
    pays: Collection[Direction] = ()
    accepted: Collection[str] = ()
    kill_switch: str = ""
    webhooks: bool = False
    exports: Sequence[str] = ()
    command: str = "precoro-daemon"
    company: str = ""


class Disks(Struct, frozen=True):
    """What was observed beside the state.

    free     bytes free on each disk
    stopped  why the kill switch stops payments, "" if it does not
    grant    the login at the accounting system, None if it needs none
    """

    free: Mapping[str, int]
    stopped: str = ""
    grant: GrantStatus | None = None


def take_snapshot(
    scope: Scope,
    account: Budget,
    now: float,
    stored: Stored | None,
    *,
    outlook: Outlook | None = None,
    live: Live | None = None,
) -> Snapshot:
    """Takes a snapshot of the program at `now`. `live`: None if no service runs in this process."""
    return Snapshot(
        now=now,
        quota=Quota.of(account, now),
        outlook=outlook or Outlook(),
        stored=stored,
        live=live or Live(),
        webhooks=scope.webhooks,
        command=scope.command,
        company=scope.company,
    )


def describe_state(scope: Scope, overview: Overview, disks: Disks, now: float) -> Stored:
    """Returns the part of the state that the configuration names, as it was read at `now`."""
    names = [*scope.mirrored, *(name for name in overview.collections if name not in scope.mirrored)]
    freshness = freshness_of(overview.watched, now)
    return Stored(
        read_at=now,
        collections=[
            replace(_collection(scope, name, overview.collections.get(name), now), freshness=freshness.get(name))
            for name in names
        ],
        files=overview.files,
        quarantined=overview.quarantined,
        quarantined_counts=overview.quarantined_counts,
        payments=_payments(scope, overview, disks),
        grant=disks.grant,
        items=overview.items,
        deliveries=overview.deliveries,
        laps=overview.laps,
        refused_at=overview.refusals.get(scope.credentials),
        hours=_hours(overview, now),
        free=disks.free,
        backlog=overview.backlog,
        backfilled=sorted(at for at, lane in overview.lanes if lane is Lane.CENSUS and at > now - SECONDS["day"]),
        delays=delays_by_hour(overview.watched, now),
        days=by_day(overview.history, overview.watched, now),
        skew=overview.skew.under(scope.overlap),
        exports={name: overview.exports.get(name) for name in scope.exports},
        waiting_pushes={name: count for name, count in overview.waiting_pushes.items() if name in scope.exports},
        dead_letters={name: count for name, count in overview.dead_letters.items() if name in scope.exports},
        gone=[name for name in scope.exports if name in overview.gone],
        facts=overview.facts,
        shape_changes=[
            one for one in reversed(overview.shape_changes) if one.breaks or one.at > now - _CHANGES_SHOWN_S
        ],
    )


def _collection(scope: Scope, name: str, state: CollectionState | None, now: float) -> CollectionStatus:
    state = state or CollectionState(Cursor(name))
    due = census_due(state.cursor, scope.census_every, now)
    return CollectionStatus(
        name,
        mirrored=name in scope.mirrored,
        as_of=state.cursor.at,
        whole_as_of=state.cursor.whole_at,
        live=state.wanted,
        vanished=state.vanished,
        detailed=state.detailed,
        due=state.due if name in scope.detailed else None,
        scans=state.scans,
        census="owed" if state.cursor.unproved else "due" if due else "",
        short=state.cursor.short,
        hidden=state.cursor.hidden,
    )


def _payments(scope: Scope, overview: Overview, disks: Disks) -> PaymentStatus | None:
    if scope.ledger is None and not overview.payments:
        return None
    return PaymentStatus(
        intents=overview.payments,
        switch=overview.switch,
        kill_switch=scope.kill_switch,
        stopped=disks.stopped,
        ledger=scope.ledger,
        enabled=bool(scope.pays),
        unreadable=overview.unreadable.get(scope.ledger or "", 0),
        unreadable_since=overview.unreadable_since.get(scope.ledger or "", 0.0),
        unmatched=overview.unmatched.get(scope.ledger or "", 0),
        lacking=next(
            filter(None, (lacking(each, overview.shape_changes, scope.accepted) for each in scope.pays)), ""
        ),
    )


def _hours(overview: Overview, now: float) -> Sequence[Hour]:
    """Returns calls by hour. Calls without a recorded lane are only counted."""
    begins = [(floor(now / _HOUR_S) - back) * _HOUR_S for back in reversed(range(_HOURS_SHOWN))]
    totals = Counter(floor(at / _HOUR_S) * _HOUR_S for at, _ in overview.calls)
    lanes = Counter((floor(at / _HOUR_S) * _HOUR_S, lane) for at, lane in overview.lanes)
    hours = []
    for begin in begins:
        calls: dict[Lane | None, int] = {lane: lanes[begin, lane] for lane in Lane if lanes[begin, lane]}
        if unnoted := totals[begin] - sum(calls.values()):
            calls[None] = unnoted
        hours.append(Hour(begin, calls))
    return hours
