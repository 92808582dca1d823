"""where exports go, and for `check` whether each place takes what is to come"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from precoro_daemon.adapters.exports.parquet import demand_arrow
from precoro_daemon.adapters.exports.segment_store import open_segments
from precoro_daemon.adapters.exports.signed_pushes import Address, open_receiver
from precoro_daemon.adapters.http.route import use_route
from precoro_daemon.adapters.state.view_rows import followed_tables
from precoro_daemon.app.databases import address_of
from precoro_daemon.app.files import open_place
from precoro_daemon.app.findings import Finding
from precoro_daemon.app.state import identity, place
from precoro_daemon.app.values import route_to
from precoro_daemon.errors import DaemonError, ExportsUnusable, FolderHeld, most_severe
from precoro_daemon.exports.ports.segments import OpenSegments
from precoro_daemon.exports.ports.tables import Table
from precoro_daemon.exports.ports.warehouse import OpenWarehouse
from precoro_daemon.settings import Settings
from precoro_daemon.settings.exports import Export
from precoro_daemon.values.visible_text import visible

if TYPE_CHECKING:
    from precoro_daemon.adapters.databases.postgres import PostgresDatabase
    from precoro_daemon.adapters.exports.postgres_tables import Named
    from precoro_daemon.files.ports.object_store import ObjectStore

_TRIAL_FILE = "manifest/check"
"""In a folder that every export has."""


def tables_of(export: Export) -> list[Table]:
    return [followed_tables()[name] for name in export.collections]


def address_of_receiver(export: Export) -> Address:
    assert export.url is not None
    return Address(export.url, export.signing_keys, export.allowed_hosts, export.timeout, export.in_flight)


def segments_of(settings: Settings, name: str, export: Export) -> OpenSegments:
    return open_segments(_place_of(settings, name, export))


@asynccontextmanager
async def _place_of(settings: Settings, name: str, export: Export) -> AsyncIterator[ObjectStore]:
    assert export.directory is not None
    beside = await anyio.to_thread.run_sync(place, settings)
    spool = export.bucket.spool or Path(f"{beside}.{name}.spool")
    async with open_place(settings, export.directory, export.bucket, spool) as store:
        yield store


def warehouse_of(settings: Settings, name: str, export: Export) -> OpenWarehouse:
    # Who exports into files needs no driver of a database at the start.
    from precoro_daemon.adapters.exports.postgres_tables import open_tables  # noqa: PLC0415

    return open_tables(*_database_of(settings, name, export))


def _database_of(settings: Settings, name: str, export: Export) -> tuple[PostgresDatabase, Named]:
    from precoro_daemon.adapters.databases.postgres import PostgresDatabase  # noqa: PLC0415 - as above
    from precoro_daemon.adapters.exports.postgres_tables import Named  # noqa: PLC0415

    assert export.database is not None
    named = Named(name, export.schema_name, identity(settings))
    return PostgresDatabase(address_of(export.database)), named


async def check_exports(settings: Settings) -> Finding:
    """Whether each place takes what is to come. No record leaves. Raises ExportsUnusable, with those that do not."""
    if not settings.exports:
        return Finding("none follows the mirror, as there is no [exports.NAME]", {"exports": 0})
    found: dict[str, str] = {}
    failures: dict[str, DaemonError] = {}
    async with use_route(route_to(settings)):
        for name, export in settings.exports.items():
            try:
                found[name] = await _tried(settings, name, export)
            except DaemonError as error:
                failures[name] = error
    if worst := most_severe(failures.values()):
        lines = [f"[exports.{name}]: {visible(str(error))}" for name, error in failures.items()]
        raise ExportsUnusable("\n".join(lines), exit_code=worst.exit_code)
    said = [f"{name}: {answer}" for name, answer in found.items()]
    return Finding(f"\n{'':15}".join(said), {"exports": len(found), "targets": found})


async def _tried(settings: Settings, name: str, export: Export) -> str:
    if export.url is not None:
        async with open_receiver(address_of_receiver(export), f"[exports.{name}]") as receiver:
            return await receiver.probe()
    return await (_tried_tables if export.database is not None else _tried_place)(settings, name, export)


async def _tried_tables(settings: Settings, name: str, export: Export) -> str:
    from precoro_daemon.adapters.exports.postgres_tables import try_tables  # noqa: PLC0415 - as above

    database, named = _database_of(settings, name, export)
    encrypted = await try_tables(database, named, tables_of(export))
    proved = " with a server that proved who it is" if database.address.verify else ""
    way = f"over TLS{proved}" if encrypted else "without TLS"
    user, where = database.address.user or "the user", f"{database.address.database} (schema {named.schema})"
    return f"{user} may make and fill its tables in {where}, {way}"


async def _tried_place(settings: Settings, name: str, export: Export) -> str:
    """A file is begun and thrown away. A bucket gets the mark that says whose it is."""
    await anyio.to_thread.run_sync(demand_arrow)
    try:
        async with _place_of(settings, name, export) as store:
            async with store.partial_file(_TRIAL_FILE, replaces=True) as file:
                await file.write(b"\n")
                await file.hashed()
            room = await store.room()
    except FolderHeld:
        return f"{export.directory}: another process is writing files there just now"
    return f"{export.directory} takes files; its disk has room for {room / 10**9:,.1f} GB"
