"""backups of the state, and the way back"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

from anyio import to_thread

from precoro_daemon.adapters.state.sqlite.backup import Backup, back_up
from precoro_daemon.adapters.state.sqlite.opening import open_read_only
from precoro_daemon.adapters.state.sqlite.restoring import Restored, restore
from precoro_daemon.app.values import identity
from precoro_daemon.settings import Settings


def demand_state(settings: Settings) -> None:
    """For what makes no sense without one: another directory is soon mistaken for that of the service. Blocking.

    Raises StoreUnusable if there is none, or not this company's.
    """
    with closing(open_read_only(settings.state.path, identity(settings))):
        pass


async def back_up_state(settings: Settings, target: Path, *, replace: bool) -> Backup:
    """Raises StoreUnusable."""
    work = partial(back_up, settings.state.path, target, identity=identity(settings), replace=replace)
    return await to_thread.run_sync(work)


async def restore_state(settings: Settings, backup: Path) -> Restored:
    """Raises StoreHeld, StoreUnusable."""
    return await to_thread.run_sync(partial(restore, backup, settings.state.path, identity=identity(settings)))
