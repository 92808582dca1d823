"""the checks of `check`: each returns the condition of its part, or raises what is wrong"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import AsyncExitStack
from itertools import cycle, islice
from typing import Any

import anyio

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.app.company import Company, connect
from precoro_daemon.app.control import Probe, send_command
from precoro_daemon.app.files import disk_of_files, open_files
from precoro_daemon.app.findings import Finding
from precoro_daemon.app.notices import check_notices
from precoro_daemon.app.state import address, control_socket, kill_switch, on_server, open_or_borrow, place, state_of
from precoro_daemon.app.state_reading import account_of, outlook_of, read_state
from precoro_daemon.app.values import (
    ADVICE,
    Contradiction,
    as_of,
    chosen,
    clock_for,
    contradiction,
    credentials_of,
    plan_for,
    polling_options,
)
from precoro_daemon.errors import (
    DecisionRefused,
    DiskFull,
    FolderHeld,
    StoreEnrolled,
    StoreHeld,
    StoreUnusable,
)
from precoro_daemon.mirror.polling import demand_of, planner_of
from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.payments.commands import Command
from precoro_daemon.quota.limits import Lane
from precoro_daemon.quota.plan import QuotaPlan
from precoro_daemon.settings import Settings
from precoro_daemon.settings.paths import named_paths
from precoro_daemon.status.progress import Silent

_COLLECTIONS_NAMED = 5
"""Most collections that a warning names; of the others it gives only the sum."""


async def check_schedule(settings: Settings) -> Finding:
    """Reports what a service uses a day's calls for: from the state if there is one, else for a first fill."""
    plan = await anyio.to_thread.run_sync(_plan, settings)
    if plan is None:
        return Finding("no call is limited", {"per_day": None})
    fill = " until the first fill is done" if plan.filling else ""
    said = (
        f"lists take {plan.bound:,.0f} of {plan.granted:,} calls a day where nothing changes, {plan.lists:,} at most"
        f"{fill}; {plan.documents:,} are for documents"
    )
    found = contradiction(polling_options(settings), plan)
    facts = {
        "per_day": plan.granted,
        "lists": plan.lists,
        "lists_at_least": round(plan.bound),
        "documents": plan.documents,
        "first_fill": plan.filling,
        "contradicted": {} if found is None else found.asked,
    }
    return Finding(said if found is None else f"{said}.\n{_warning(found)}", facts)


def _plan(settings: Settings) -> QuotaPlan | None:
    """Returns the plan of a day's calls, None if no call is limited. Blocking."""
    try:
        overview = read_state(settings, RealClock().now())
    except StoreUnusable:  # not there yet, or what check_state says
        options = polling_options(settings)
        rates = planner_of(options)[0]
        return plan_for(settings, demand_of(options, rates, backlog=None), rates.of_company())
    now = as_of(overview.calls)
    return outlook_of(settings, overview, account_of(settings, overview, now), now).plan


def _warning(found: Contradiction) -> str:
    named = [f"{name} {calls:,}" for name, calls in islice(found.asked.items(), _COLLECTIONS_NAMED)]
    others = list(found.asked.values())[_COLLECTIONS_NAMED:]
    more = f" and {len(others)} others {sum(others):,}" if others else ""
    calls = sum(found.asked.values())
    asked = f"WARNING: every, oldest and within ask for {calls:,} calls a day: {', '.join(named)}{more}"
    return f"{'':15}{asked}; {found.limit} leaves {found.room:,} for lists. {ADVICE.capitalize()}."


async def check_paths(settings: Settings) -> Finding:
    """Lists the absolute path of each configured path."""
    named = [(key, str(path)) for key, path in named_paths(settings)]
    if settings.ledger.kind != "none":
        named.append(("payments.kill_switch", str(kill_switch(settings))))
    if on_server(settings):
        named.append(("daemon.control_socket", str(await anyio.to_thread.run_sync(control_socket, settings))))
    named = list(dict.fromkeys(named))
    lines = [f"{'':15}{key}: {path}" for key, path in named]
    facts = {"paths": [{"key": key, "path": path} for key, path in named]}
    return Finding("\n".join(("a relative one starts at the directory of the configuration", *lines)), facts)


async def check_state(settings: Settings) -> Finding:
    """Checks whether the state exists, or could be created. Raises StoreUnusable."""

    def state() -> Finding:
        kept = state_of(settings)
        found = kept.exists()
        where = address(settings) if on_server(settings) else place(settings)
        said, *warnings = kept.about().split("\n")
        there = f"{where} {'is there' if found else 'is not there yet; the first run makes it'}"
        lines = (f"{there} ({said})" if said else there, *(f"{'':15}{warning}" for warning in warnings))
        return Finding("\n".join(lines), {"place": str(where), "exists": found, "warnings": warnings})

    return await anyio.to_thread.run_sync(state)


async def check_folder(settings: Settings) -> Finding:
    """Checks whether files can be stored at the configured place. Raises FolderUnusable, BucketUnusable, DiskFull."""
    section = settings.fetch_attachments
    disk = disk_of_files(settings)
    if section.directory is None or disk is None:
        return Finding("none is fetched, as [fetch_attachments] has no directory", {"directory": None})
    try:
        async with open_files(settings) as folder:
            room = await folder.room()
    except FolderHeld:
        if not await _is_served(settings):
            raise
        room = (await anyio.to_thread.run_sync(shutil.disk_usage, disk)).free - section.reserve_bytes
    if room <= 0:
        raise DiskFull(f"{disk}: no room beyond reserve_bytes in [fetch_attachments]")
    facts = {"directory": str(section.directory), "disk": str(disk), "room_bytes": int(room)}
    has_room = f"has room for {room / 10**9:,.1f} GB"
    if disk != section.directory:
        return Finding(f"go to {section.directory}; {disk}, where they are written first, {has_room}", facts)
    return Finding(f"go to {disk}, which {has_room}", facts)


async def check_access(settings: Settings) -> Finding:
    """Makes one call and reports its result.

    If another process holds the state, that process makes the call. Otherwise the call is charged to the state if
    there is one; none is created. Raises StoreEnrolled for a company of a fleet.
    """
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(open_or_borrow(settings))
        except StoreEnrolled:
            raise
        except StoreHeld as held:
            command = Command("check", "check", ident=credentials_of(settings).fingerprint)
            said = await anyio.to_thread.run_sync(send_command, settings, command, held)
            return Finding(said, _access(settings, by_service=True))
        there = await stack.enter_async_context(connect(settings, store.budget_book, clock_for(settings), Silent()))
        collection = chosen(settings)[0][0]
        await there.precoro.probe(collection, Lane.LISTS)
    return Finding(_shown(settings, collection), _access(settings, by_service=False))


def _access(settings: Settings, *, by_service: bool) -> Mapping[str, Any]:
    return {"origin": settings.precoro.origin, "by_service": by_service}


def prober(company: Company) -> Probe:
    """Returns the probe with which a service makes the call of `check`.

    Each call reads the next list, because an identical GET is answered once a minute.
    """
    settings, collections = company.settings, cycle(chosen(company.settings)[0])

    async def probe(fingerprint: str) -> str:
        if fingerprint != credentials_of(settings).fingerprint:
            raise DecisionRefused(
                "the service that runs has another key, e-mail or address: reload it, and check then"
            )
        collection = next(collections)
        await company.gateway.precoro.probe(collection, Lane.LISTS)
        return f"{_shown(settings, collection)} (the service made the call)"

    return probe


def _shown(settings: Settings, collection: Collection) -> str:
    return f"{settings.precoro.origin} accepts the key and shows it {collection.name.replace('_', ' ')}"


async def _is_served(settings: Settings) -> bool:
    """Checks whether another process holds the state."""
    try:
        async with open_or_borrow(settings):
            return False
    except StoreHeld:
        return True


async def _check_ledger(settings: Settings) -> Finding:
    from precoro_daemon.app.ledger_check import check_ledger

    return await check_ledger(settings)


async def _check_exports(settings: Settings) -> Finding:
    from precoro_daemon.app.export_targets import check_exports

    return await check_exports(settings)


CHECKS = {
    "paths": check_paths,
    "schedule": check_schedule,
    "state": check_state,
    "files": check_folder,
    "ledger": _check_ledger,
    "messages": check_notices,
    "exports": _check_exports,
    "Precoro": check_access,
}
"""The checks by the part that they check, in their order."""
