"""reads the state beside the instance that may hold it, and takes the snapshot that a command shows"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.app.files import disk_of_files, name_of_disk
from precoro_daemon.app.ledger_grants import see_grant
from precoro_daemon.app.state import kill_switch, label, place, state_of, stopped_by
from precoro_daemon.app.values import (
    as_of,
    credentials_of,
    limits,
    plan_for,
    polling_options,
    share_of_deliveries,
    wanted_details,
    wanted_files,
)
from precoro_daemon.mirror.polling import demand_of, planner_of
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.payments.rules.states import Direction
from precoro_daemon.quota.budget import MEMORY, Budget
from precoro_daemon.quota.lessons import Lessons
from precoro_daemon.quota.limits import SECONDS
from precoro_daemon.status.snapshot import Outlook, Snapshot
from precoro_daemon.status.taking import Disks, Scope, describe_state, take_snapshot

if TYPE_CHECKING:
    from precoro_daemon.runtime.ports import PastLap
    from precoro_daemon.settings import Settings
    from precoro_daemon.status.reading import Overview


def read_snapshot(settings: Settings, command: str) -> Snapshot:
    """For a command: without the signs of life of a service. Blocking. Raises StoreUnusable."""
    overview = read_state(settings, RealClock().now())
    now = as_of(overview.calls)
    account = account_of(settings, overview, now)
    outlook = outlook_of(settings, overview, account, now)
    if overview.laps and outlook.plan is not None:  # of a service, which goes by its plan; --once does not
        account.adopt((*outlook.plan.shares, *share_of_deliveries(settings)))
    scope = scope_of(settings, command)
    stored = describe_state(scope, overview, see_disks(settings), now)
    return take_snapshot(scope, account, now, stored, outlook=outlook)


async def read_history(settings: Settings, days: int) -> tuple[float, Sequence[PastLap]]:
    """What time it is, and what laps and runs of the last days came to. Raises StoreHeld, StoreUnusable."""
    async with state_of(settings).open_read_only() as store:
        now = as_of(await store.budget_book.load(RealClock().now() - MEMORY))
        return now, await store.lap_book.history(now - days * SECONDS["day"])


def account_of(settings: Settings, overview: Overview, now: float) -> Budget:
    """Of the calls that were made."""
    account = Budget(limits(settings))
    account.restore(overview.calls, overview.closed, now, overview.lanes)
    account.recall(Lessons.recalled(overview.lessons, now))
    return account


def outlook_of(settings: Settings, overview: Overview, account: Budget, now: float) -> Outlook:
    """What a service that goes on from this state means to do."""
    options = polling_options(settings)
    rates, planner = planner_of(options)
    rates.learn(overview.watched)
    listed = {name: state.cursor.at for name, state in overview.collections.items() if state.cursor.at is not None}
    for name, at in listed.items():
        planner.scanned(name, at)
    failing = {name for name, stage in overview.quarantined_counts if stage is Stage.SCAN}
    backlog = overview.backlog if listed.keys() | failing >= options.paces.keys() else None
    plan = plan_for(settings, demand_of(options, rates, backlog), rates.of_company(), account, now)
    planner.afford(options.lists if plan is None else plan.lists)
    served = options.paces if overview.laps else ()
    return Outlook(plan, {name: planner.next_scan(name, now) for name in served})


def read_state(settings: Settings, now: float, unwanted: Callable[[], bool] = lambda: False) -> Overview:
    """`unwanted` is called now and then; True ends the reading. Blocking. Raises StoreUnusable."""
    return state_of(settings).overview(
        since=now - MEMORY,
        files=wanted_files(settings),
        details=wanted_details(settings),
        now=now,
        unwanted=unwanted,
    )


def scope_of(settings: Settings, command: str) -> Scope:
    return Scope(
        mirrored=settings.mirror_collections.collections,
        detailed=settings.fetch_details.collections,
        census_every=settings.take_census.every,
        overlap=settings.mirror_collections.overlap,
        credentials=credentials_of(settings).fingerprint,
        ledger=settings.ledger.name if settings.ledger.kind != "none" else None,
        pays=list(_pays(settings)),
        accepted=settings.payments.accept_changed,
        kill_switch=str(kill_switch(settings)),
        webhooks=settings.apply_deliveries.listen is not None,
        exports=tuple(settings.exports),
        command=command,
        company=label(settings),
    )


def _pays(settings: Settings) -> Iterator[Direction]:
    if settings.mark_invoices_paid.enabled:
        yield Direction.TO_PRECORO
    if settings.export_payments.enabled:
        yield Direction.TO_LEDGER


def see_disks(settings: Settings) -> Disks:
    """Blocking."""
    return Disks(dict(_free(settings)), stopped_by(kill_switch(settings)), see_grant(settings))


def _free(settings: Settings) -> Iterator[tuple[str, int]]:
    """Bytes free on each disk; one that cannot be read is left out."""
    paths: dict[str, Path | None] = {
        "state": place(settings).parent,
        name_of_disk(settings): disk_of_files(settings),
    }
    for name, path in paths.items():
        try:
            if path is not None:
                disk = os.statvfs(path)
                yield name, disk.f_bavail * disk.f_frsize
        except OSError:
            continue
