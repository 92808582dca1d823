"""reads the state beside the instance that may hold it, and takes the snapshot that a command shows"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.app.state import kill_switch, place, state_of, stopped_by
from precoro_daemon.app.values import as_of, credentials_of, limits, plan_for, polling_options, wanted_files
from precoro_daemon.mirror.polling import demand_of, planner_of
from precoro_daemon.quota.budget import MEMORY, Budget
from precoro_daemon.settings import Settings
from precoro_daemon.status.reading import Overview
from precoro_daemon.status.snapshot import Snapshot
from precoro_daemon.status.taking import Disks, Scope, describe_state, take_snapshot


def read_snapshot(settings: Settings, command: str) -> Snapshot:
    """For a command: without the signs of life of a service. Blocking. Raises StoreUnusable."""
    overview = read_state(settings, RealClock().now())
    now = as_of(overview.calls)
    account = Budget(limits(settings))
    account.restore(overview.calls, overview.closed, now)
    scope = scope_of(settings, command)
    return take_snapshot(scope, account, now, describe_state(scope, overview, see_disks(settings), now))


def read_state(settings: Settings, now: float, unwanted: Callable[[], bool] = lambda: False) -> Overview:
    """`unwanted` is called now and then; True ends the reading. Blocking. Raises StoreUnusable."""
    return state_of(settings).overview(
        since=now - MEMORY,
        files=wanted_files(settings),
        now=now,
        unwanted=unwanted,
    )


def scope_of(settings: Settings, command: str) -> Scope:
    options = polling_options(settings)
    plan = plan_for(settings, demand_of(options, planner_of(options)[0], backlog=0))
    return Scope(
        mirrored=settings.mirror_collections.collections,
        detailed=settings.fetch_details.collections,
        census_every=settings.take_census.every,
        credentials=credentials_of(settings).fingerprint,
        ledger=settings.ledger.name if settings.ledger.kind != "none" else None,
        pays=settings.mark_invoices_paid.enabled or settings.export_payments.enabled,
        kill_switch=str(kill_switch(settings)),
        webhooks=settings.apply_deliveries.listen is not None,
        backfill=plan.backfill if plan else 0,
        command=command,
    )


def see_disks(settings: Settings) -> Disks:
    """Blocking."""
    return Disks(dict(_free(settings)), stopped_by(kill_switch(settings)))


def _free(settings: Settings) -> Iterator[tuple[str, int]]:
    """Bytes free on each disk; one that cannot be read is left out."""
    paths: dict[str, Path | None] = {
        "state": place(settings).parent,
        "files": settings.fetch_attachments.directory,
    }
    for name, path in paths.items():
        try:
            if path is not None:
                yield name, shutil.disk_usage(path).free
        except OSError:
            continue
