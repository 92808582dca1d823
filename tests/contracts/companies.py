"""A company of the sandbox put into a state, without the calls between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.documents import read_record
from precoro_daemon.sandbox.clock import SimulatedClock
from precoro_daemon.sandbox.company import Company
from precoro_daemon.sandbox.options import SandboxOptions
from tests.contracts.listing import T0, listed

START = datetime(2026, 6, 1, tzinfo=UTC)


def founded(**counts: int) -> Company:
    """The same bytes at each call."""
    options = SandboxOptions(size="empty", seed=3, counts=counts, start=START)
    return Company(options, SimulatedClock(start=START))


async def mirrored(store: Store, company: Company, details: Sequence[str] = ()) -> None:
    for name, collection in COLLECTIONS.items():
        rows = [read_record(company.entries.raw(row)) for row in company[collection.path.removeprefix("/")]]
        await listed(store.mirror, *rows, collection=name)
    for one in await store.mirror.due_details(details, before=T0 * 2, limit=1000):
        row = company.row(COLLECTIONS[one.collection].path.removeprefix("/"), one.id)
        await store.mirror.save_detail(one, Detail(None, company.details.raw(row).decode()), at=T0)
