"""builds the job of the exports that the configuration names"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from precoro_daemon.adapters.exports.segment_store import open_segments
from precoro_daemon.adapters.exports.signed_pushes import Address, open_receiver
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.view_rows import followed_tables
from precoro_daemon.app.databases import address_of
from precoro_daemon.app.files import open_place
from precoro_daemon.app.state import identity, place
from precoro_daemon.exports.follow_exports import FollowExports, Turn
from precoro_daemon.exports.ports.segments import OpenSegments
from precoro_daemon.exports.ports.warehouse import OpenWarehouse
from precoro_daemon.exports.push_records import PushRecords
from precoro_daemon.exports.write_segments import WriteSegments
from precoro_daemon.exports.write_tables import WriteTables
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.settings import Settings
from precoro_daemon.settings.exports import Export


def build_exports(settings: Settings, store: Store, clock: Clock) -> FollowExports:
    turns = [_turn(settings, name, export, store, clock) for name, export in settings.exports.items()]
    return FollowExports(turns, clock)


def _turn(settings: Settings, name: str, export: Export, store: Store, clock: Clock) -> Turn:
    feed, chosen = store.export_feed, [followed_tables()[table] for table in export.collections]
    if export.database is not None:
        return Turn(WriteTables(name, feed, chosen, partial(_open_tables, settings, name, export)))
    if export.url is not None:
        return Turn(_pushes(name, export, store, clock))
    stores = partial(_open_segments, settings, name, export)
    return Turn(WriteSegments(name, feed, chosen, stores, clock, export.snapshot_every), every=export.every)


def _pushes(name: str, export: Export, store: Store, clock: Clock) -> PushRecords:
    assert export.url is not None
    address = Address(export.url, export.signing_keys, export.allowed_hosts, export.timeout, export.in_flight)
    return PushRecords(
        name=name,
        feed=store.export_feed,
        book=store.push_book,
        tables=[followed_tables()[table] for table in export.collections],
        receivers=partial(open_receiver, address, f"[exports.{name}]"),
        clock=clock,
        receiver=address.fingerprint,
        give_up_after=export.give_up_after,
        in_flight=export.in_flight,
    )


def _open_segments(settings: Settings, name: str, export: Export) -> OpenSegments:
    assert export.directory is not None
    spool = export.bucket.spool or Path(f"{place(settings)}.{name}.spool")
    return open_segments(open_place(settings, export.directory, export.bucket, spool))


def _open_tables(settings: Settings, name: str, export: Export) -> OpenWarehouse:
    # Who exports into files needs no driver of a database at the start.
    from precoro_daemon.adapters.databases.postgres import PostgresDatabase  # noqa: PLC0415
    from precoro_daemon.adapters.exports.postgres_tables import Named, open_tables  # noqa: PLC0415

    assert export.database is not None
    database = PostgresDatabase(address_of(export.database))
    return open_tables(database, Named(name, export.schema_name, identity(settings)))
