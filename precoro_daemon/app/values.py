"""settings as the values that the parts are built from"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.files.ports.attachment_book import WantedFiles
from precoro_daemon.mirror.polling import PollingOptions, least_calls
from precoro_daemon.mirror.ports.mirror import WantedDetails
from precoro_daemon.mirror.rules.collections import COLLECTIONS, Collection
from precoro_daemon.quota import budget
from precoro_daemon.quota.forecast import HOURS_AHEAD
from precoro_daemon.quota.freshness import Pace
from precoro_daemon.quota.limits import SECONDS, Lane, Limits, Share
from precoro_daemon.quota.plan import DOCUMENT_LANES, Demand, QuotaPlan, plan_quota
from precoro_daemon.quota.usual_week import UsualWeek
from precoro_daemon.quota.watched_hours import WEEK_S
from precoro_daemon.settings.model import ANY_NAME, SECRETS

if TYPE_CHECKING:
    from precoro_daemon.adapters.http.route import Route
    from precoro_daemon.mirror.rules.filters import Filter
    from precoro_daemon.quota.budget import Budget
    from precoro_daemon.quota.ports import BudgetBook
    from precoro_daemon.settings import Settings

_GUARD = 0.002
"""Real seconds kept between two calls beyond the pace, which sees to it that they arrive a second apart: timers and
clocks differ by so much."""

_SHOW_PAYMENTS = ("invoices", "payments")
"""Lists that show what was paid in Precoro."""

_RECORDED_S = 600.0
"""Seconds from the scan that shows a payment until the ledger has it, at most: a page or two, a detail, an entry."""

_MARGIN = 0.25
"""Seconds added to windows longer than one, as two calls may reach Precoro closer than they left us."""

_URGENT_LANES = frozenset({Lane.PAYMENTS, Lane.DELIVERIES})

_DELIVERIES_A_CHANGE, _PAYMENTS_A_CHANGE = 1.5, 0.4
"""Calls, as a guess before any was seen: most of the two that a webhook costs; two for each payment, and an invoice
is changed a few times before it is paid."""

_SURE_FROM = 0.5
"""Of a mean day's changes: once so much was seen since the first call, and a day is over, it is known what comes."""

_REAL_MARGIN = 0.02
"""Real seconds that a rehearsal adds to the longer windows; in its time a hesitation of the machine is long."""

REHEARSAL = 10 * 365 * 86_400.0
"""Seconds. The time of an earlier rehearsal went ahead of ours, by how much only the server knows: until its first
answer tells, a rehearsal's clock stands so far ahead that nothing of the earlier one holds that call back."""


class Contradiction(Struct, frozen=True):
    """Bounds and schedules that cannot be held.

    asked  calls a day by collection, the most first
    room   calls that there are for lists, and which limit says so
    """

    asked: Mapping[str, int]
    room: int
    limit: str


ADVICE = (
    "give [mirror_collections] fewer collections or a longer every, [freshness] a longer oldest, or "
    "[export_payments] a longer within"
)


def clock_for(settings: Settings) -> RealClock:
    """Real time; for a rehearsal, faster."""
    scale = settings.limits.time_scale
    return RealClock() if scale == 1 else RealClock(scale, ahead=REHEARSAL)


def wall_clock() -> RealClock:
    """Real time, for what shows people how long something takes."""
    return RealClock()


def as_of(calls: Sequence[tuple[float, bytes]]) -> float:
    """What time it is, by the wall clock and by calls made: a rehearsal's time runs ahead of ours, a wrong clock
    behind. Calls that a rehearsal began with count for nothing."""
    now = time.time()
    return max([now, *(at for at, _ in calls if at < now + REHEARSAL / 2)])


async def clock_without_calls(settings: Settings, book: BudgetBook) -> RealClock:
    """For what makes no call: no answer will tell it the time of a rehearsal, which goes on from the last one."""
    if settings.limits.time_scale == 1:
        return RealClock()
    now = time.time()
    return RealClock(settings.limits.time_scale, ahead=as_of(await book.load(now - budget.MEMORY)) - now)


def wanted_files(settings: Settings) -> WantedFiles:
    """Whose files are kept; none where no directory is set."""
    section = settings.fetch_attachments
    return WantedFiles(section.collections if section.directory else (), section.max_bytes)


def wanted_details(settings: Settings) -> WantedDetails:
    """Whose details are fetched."""
    return WantedDetails(settings.fetch_details.collections, only_with_attachments(settings))


def only_with_attachments(settings: Settings) -> Sequence[str]:
    """Collections whose details are fetched for nothing but their files."""
    return [name for name in wanted_files(settings).collections if name not in settings.fetch_details.collections]


def chosen(settings: Settings) -> tuple[Sequence[Collection], Mapping[str, Filter]]:
    collections = [COLLECTIONS[name] for name in settings.mirror_collections.collections]
    return collections, {one.name: settings.mirror_collections.filter_of(one.name) for one in collections}


def limits(settings: Settings) -> Limits:
    """What Precoro grants this key, and what each lane leaves to those above."""
    given = settings.limits
    return Limits(
        per_second=given.per_second,
        per_minute=given.per_minute,
        per_hour=given.per_hour,
        per_day=given.per_day,
        same_get_per_minute=given.same_get_per_minute,
        same_get_per_hour=given.same_get_per_hour,
        same_get_scope=given.same_get_scope,
        reserve=given.reserves,
        guard=_GUARD * given.time_scale,
        margin=max(_MARGIN, _REAL_MARGIN * given.time_scale),
        shares=share_of_deliveries(settings),
    )


def share_of_deliveries(settings: Settings) -> Sequence[Share]:
    """Beside those of the plan."""
    per_day, part = settings.limits.per_day, settings.apply_deliveries.max_share
    return (Share(frozenset({Lane.DELIVERIES}), max(1, int(per_day * part))),) if per_day else ()


def polling_options(settings: Settings) -> PollingOptions:
    """How fresh the user wants which list, and what it competes with."""
    lists, freshness = settings.mirror_collections, settings.freshness
    paces = {
        name: Pace(
            weight=freshness.weight_of(name),
            oldest=_oldest(settings, name),
            schedule=lists.schedule_of(name),
        )
        for name in lists.collections
    }
    return PollingOptions(
        paces=paces,
        lists=freshness.list_calls,
        detailed=settings.fetch_details.collections,
        with_attachments=only_with_attachments(settings),
        files=settings.fetch_attachments.directory is not None,
    )


def _oldest(settings: Settings, name: str) -> float:
    export, oldest = settings.export_payments, settings.freshness.oldest
    return min(oldest, export.within - _RECORDED_S) if export.enabled and name in _SHOW_PAYMENTS else oldest


def plan_for(
    settings: Settings, demand: Demand, week: UsualWeek, account: Budget | None = None, now: float = 0.0
) -> QuotaPlan | None:
    """What a day's calls go to from `now` on; None where nothing is limited.

    week     when the company changes its data
    account  None if no call was made
    """
    granted = windows(settings)
    demand = _expected(settings, demand, week, now if account is None else account.began(now), now)
    if account is not None:
        demand = replace(
            demand,
            spent=account.made(DOCUMENT_LANES, now),
            detailed=account.made((Lane.DETAILS,), now),
            polled=account.made((Lane.LISTS,), now),
            urgent=account.made(_URGENT_LANES, now),
            paid=account.made((Lane.PAYMENTS,), now),
        )
        others: dict[str, int] = {period: account.made_by_others(period, now) for period in SECONDS}
        granted = {window: max(1.0, calls - others[window]) if calls else 0 for window, calls in granted.items()}
    return plan_quota(granted, settings.limits.reserves, demand)


def _expected(settings: Settings, demand: Demand, week: UsualWeek, first: float, now: float) -> Demand:
    """What the days to come bring, as far as calls tell that are known since then."""
    mean, day = week.mean_day, SECONDS["day"]
    began = max(first, now - day)
    pays = settings.mark_invoices_paid.enabled or settings.export_payments.enabled
    hears = settings.apply_deliveries.listen is not None
    hours = math.ceil(round((began + day - now) / SECONDS["hour"], 3)) if began > now - day else 0
    to_come = [week.changes(min(now + hour * SECONDS["hour"], began + day), began + day) for hour in range(hours + 1)]
    of_day = week.changes(began, began + day) if pays or hears else math.inf
    gone, coming = week.by_hour(now - day, 24), week.by_hour(now, HOURS_AHEAD + 24)
    known = (now - began) / SECONDS["hour"]
    unknown, *ebbing = (changes / of_day for changes in to_come)
    return replace(
        demand,
        pays=pays,
        unknown=unknown if hours else 0.0,
        ebbing=ebbing,
        unsure=hours > 0 or week.changes(max(first, now - WEEK_S), now) < _SURE_FROM * mean,
        usual=(_DELIVERIES_A_CHANGE * hears + _PAYMENTS_A_CHANGE * pays) * mean,
        seen=week.changes(began, now) / mean,
        gone=[
            changes * min(1.0, max(0.0, known - ago)) for ago, changes in zip(range(23, -1, -1), gone, strict=True)
        ],
        coming=[changes / mean for changes in coming],
    )


def windows(settings: Settings) -> Mapping[str, float]:
    """Calls by the window they are allowed in; 0: that window has no limit."""
    given = settings.limits
    return {"day": given.per_day, "hour": given.per_hour, "minute": given.per_minute, "second": given.per_second}


def contradiction(options: PollingOptions, plan: QuotaPlan) -> Contradiction | None:
    """What bounds and schedules of lists ask for, if a day has no room for it."""
    asked = {name: round(calls) for name, calls in least_calls(options).items()}
    if not plan.affordable:
        return Contradiction(asked, plan.affordable_lists, f"per_{plan.window}")
    if plan.bound > options.lists:
        return Contradiction(asked, int(options.lists), "freshness.list_calls")
    return None


def secrets(settings: Settings) -> Sequence[str]:
    """What no log line may show: every secret of the settings, the e-mail address, and each address of messages."""
    paths = (("precoro", "email"), *SECRETS)
    return [*(secret for path in paths for secret in _secrets_at(settings, path)), *settings.notify.addresses]


def _secrets_at(value: Any, path: Sequence[str]) -> Iterator[str]:
    if value is None:
        return
    if not path:
        yield value.get_secret_value()
        return
    for below in value.values() if path[0] == ANY_NAME else [getattr(value, path[0])]:
        yield from _secrets_at(below, path[1:])


def route_to(settings: Settings) -> Route:
    """To Precoro, to the ledger, and to where files are."""
    from precoro_daemon.adapters.http.route import Route  # noqa: PLC0415 - who makes no call needs none

    return Route(settings.precoro.proxy or "", settings.precoro.ca_file)


def credentials_of(settings: Settings) -> Credentials:
    precoro = settings.precoro
    return Credentials(precoro.origin, precoro.token.get_secret_value(), precoro.email.get_secret_value())
