"""the calls before there is a state: whether Precoro takes the key, and what it may see"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from precoro_daemon.adapters.state.ports import State
from precoro_daemon.app.company import connect
from precoro_daemon.app.runs import estimate_of
from precoro_daemon.app.state import state_of, trial_state
from precoro_daemon.app.values import chosen, clock_for, credentials_of
from precoro_daemon.errors import PermanentError, TemporaryError
from precoro_daemon.mirror.ports.precoro import ListRequest
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.estimates import Cost, Estimate
from precoro_daemon.quota.limits import Lane
from precoro_daemon.settings import Settings
from precoro_daemon.status.progress import Silent

Seen = Mapping[str, int | TemporaryError | PermanentError]
"""By collection: how many records the key may see, or why it may not."""


async def measure_lists(
    settings: Settings, names: Sequence[str], folder: Path, on_list: Callable[[str], None]
) -> Seen:
    """A call or two for each, charged to a state in `folder` that is this key's. Raises FatalError, BudgetSpent."""
    found: dict[str, int | TemporaryError | PermanentError] = {}
    async with (
        _trial(settings, folder).open() as store,
        connect(settings, store.budget_book, clock_for(settings), Silent()) as there,
    ):
        for name in names:
            on_list(name)
            try:
                found[name] = await there.precoro.measure(ListRequest(COLLECTIONS[name]), Lane.LISTS)
            except (TemporaryError, PermanentError) as error:
                found[name] = error
    return found


async def keep_calls(settings: Settings, folder: Path) -> None:
    """What was charged to the state in `folder` counts in the state that is to be used, which is made by that."""
    async with _trial(settings, folder).open() as trial, state_of(settings).open() as store:
        for at, key in await trial.budget_book.load(0.0):
            await store.budget_book.charge(at, key, Lane.LISTS)
        for window, until in (await trial.budget_book.load_closed()).items():
            await store.budget_book.close(window, until)


def _trial(settings: Settings, folder: Path) -> State:
    """Precoro counts the calls of each key by themselves."""
    return trial_state(folder / credentials_of(settings).fingerprint)


def estimate_first_mirror(settings: Settings, seen: Seen) -> Estimate:
    """What it takes to mirror those of the lists that are configured."""
    detailed = settings.fetch_details.collections
    per_page = settings.mirror_collections.per_page
    rows = {one.name: count for one in chosen(settings)[0] if isinstance(count := seen.get(one.name), int)}
    return estimate_of(
        settings,
        [
            Cost(name, count, max(1, -(-count // per_page)), count if name in detailed else 0)
            for name, count in rows.items()
        ],
    )
