"""the state as `status` shows it, read beside the instance that may hold it"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.state.sqlite.overview import read_overview
from precoro_daemon.app.values import (
    as_of,
    credentials_of,
    identity,
    kill_switch,
    limits,
    quota_plan,
    stopped_by,
    wanted_files,
)
from precoro_daemon.quota import budget
from precoro_daemon.quota.plan import QuotaPlan
from precoro_daemon.settings import Settings
from precoro_daemon.status.reading import Overview


@dataclass(frozen=True, slots=True)
class Look:
    """The state as it is at `now`: what it holds of which collections, the account of calls and what they are for.

    webhooks  they come in somewhere; refused_at: Precoro refused the key then, and no call was answered since
    books     what they are called, None where there are none
    held_back why no payment is sent, where one might be
    """

    overview: Overview
    account: budget.Budget
    with_details: frozenset[str]
    census_every: float
    now: float
    plan: QuotaPlan | None = None
    webhooks: bool = False
    refused_at: float | None = None
    books: str | None = None
    held_back: Sequence[str] = ()

    @property
    def unreadable(self) -> int:
        """Rows of the books that cannot be read."""
        return self.overview.unreadable.get(self.books or "", 0)

    @property
    def unmatched(self) -> int:
        """Payments in the books that meet no invoice that can be paid."""
        return self.overview.unmatched.get(self.books or "", 0)


def look(settings: Settings) -> Look:
    """Read the state beside the instance that may hold it. Raises StoreUnusable."""
    now = RealClock().now()
    overview = read_overview(
        settings.state.path,
        identity=identity(settings),
        since=now - budget.MEMORY,
        files=wanted_files(settings),
        now=now,
    )
    now = as_of(overview.calls)
    account = budget.Budget(limits(settings))
    account.restore(overview.calls, overview.closed, now)
    return Look(
        overview,
        account,
        frozenset(settings.fetch_details.collections),
        settings.take_census.every,
        now,
        plan=quota_plan(settings),
        webhooks=settings.apply_deliveries.listen is not None,
        refused_at=overview.refusals.get(credentials_of(settings).fingerprint),
        books=settings.ledger.name if settings.ledger.kind != "none" else None,
        held_back=tuple(_held_back(settings, overview)),
    )


def _held_back(settings: Settings, overview: Overview) -> Iterator[str]:
    if settings.mark_invoices_paid.enabled or settings.export_payments.enabled:
        if not overview.switch.armed:
            yield overview.switch.reason
        if stopped := stopped_by(kill_switch(settings)):
            yield stopped
