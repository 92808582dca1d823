"""builds the job of the exports that the configuration names"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from precoro_daemon.adapters.exports.segment_store import open_segments
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.view_rows import tables
from precoro_daemon.app.files import open_place
from precoro_daemon.app.state import place
from precoro_daemon.exports.follow_exports import FollowExports, Turn
from precoro_daemon.exports.ports.segments import OpenSegments
from precoro_daemon.exports.write_segments import WriteSegments
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.settings import Settings
from precoro_daemon.settings.exports import Export


def build_exports(settings: Settings, store: Store, clock: Clock) -> FollowExports:
    turns = [_turn(settings, name, export, store, clock) for name, export in settings.exports.items()]
    return FollowExports(turns, clock)


def _turn(settings: Settings, name: str, export: Export, store: Store, clock: Clock) -> Turn:
    exporter = WriteSegments(
        name=name,
        feed=store.export_feed,
        tables=[tables()[table] for table in export.collections],
        stores=partial(_open, settings, name, export),
        clock=clock,
        snapshot_every=export.snapshot_every,
    )
    return Turn(exporter, every=export.every)


def _open(settings: Settings, name: str, export: Export) -> OpenSegments:
    spool = export.bucket.spool or Path(f"{place(settings)}.{name}.spool")
    return open_segments(open_place(settings, export.directory, export.bucket, spool))
