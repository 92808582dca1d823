"""builds the job of the exports that the configuration names, and tries their receivers"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from precoro_daemon.adapters.exports.segment_store import open_segments
from precoro_daemon.adapters.exports.signed_pushes import Address, open_receiver
from precoro_daemon.adapters.http.route import use_route
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.view_rows import followed_tables
from precoro_daemon.app.databases import address_of
from precoro_daemon.app.files import open_place
from precoro_daemon.app.findings import Finding
from precoro_daemon.app.state import identity, place
from precoro_daemon.app.values import route_to
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


async def check_exports(settings: Settings) -> Finding:
    """Whether somebody answers where records are pushed to. Raises ConnectionFault, AddressRefused."""
    pushed = {name: export for name, export in settings.exports.items() if export.url is not None}
    if not settings.exports:
        return Finding("none follows the mirror, as there is no [exports.NAME]", {"exports": 0})
    answers: dict[str, str] = {}
    async with use_route(route_to(settings)):
        for name, export in pushed.items():
            async with open_receiver(_address(export), f"[exports.{name}]") as receiver:
                answers[name] = await receiver.probe()
    said = [f"{name}: {answer}" for name, answer in answers.items()]
    if others := ", ".join(name for name in settings.exports if name not in pushed):
        said.append(f"{others}: tried when the mirror is followed")
    return Finding(f"\n{'':15}".join(said), {"exports": len(settings.exports), "receivers": answers})


def _address(export: Export) -> Address:
    assert export.url is not None
    return Address(export.url, export.signing_keys, export.allowed_hosts, export.timeout, export.in_flight)


def _pushes(name: str, export: Export, store: Store, clock: Clock) -> PushRecords:
    address = _address(export)
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
