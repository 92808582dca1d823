"""builds the job of the exports that the configuration names"""

from __future__ import annotations

from functools import partial

from precoro_daemon.adapters.exports.signed_pushes import open_receiver
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.app.export_targets import address_of_receiver, segments_of, tables_of, warehouse_of
from precoro_daemon.exports.follow_exports import FollowExports, Turn
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
    feed, chosen = store.export_feed, tables_of(export)
    if export.database is not None:
        return Turn(WriteTables(name, feed, chosen, partial(warehouse_of, settings, name, export)))
    if export.url is not None:
        return Turn(_pushes(name, export, store, clock))
    stores = partial(segments_of, settings, name, export)
    return Turn(WriteSegments(name, feed, chosen, stores, clock, export.snapshot_every), every=export.every)


def _pushes(name: str, export: Export, store: Store, clock: Clock) -> PushRecords:
    address = address_of_receiver(export)
    return PushRecords(
        name=name,
        feed=store.export_feed,
        book=store.push_book,
        tables=tables_of(export),
        receivers=partial(open_receiver, address, f"[exports.{name}]"),
        clock=clock,
        receiver=address.fingerprint,
        give_up_after=export.give_up_after,
        in_flight=export.in_flight,
    )
