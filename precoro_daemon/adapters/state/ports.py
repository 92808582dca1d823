"""the seam behind which a program remembers: a state, and the repositories that it opens

It stands in this room, the lowest that sees the repositories of all others: those rooms are siblings, and each knows
only its own. Jobs take single repositories; only the program's assembly takes a state.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from precoro_daemon.catalogue.ports.plans import Catalogue
    from precoro_daemon.exports.ports.feed import ExportFeed
    from precoro_daemon.exports.ports.pushes import PushBook
    from precoro_daemon.exports.ports.tables import Tables
    from precoro_daemon.files.ports.attachment_book import AttachmentBook, WantedFiles
    from precoro_daemon.mirror.ports.change_log import ChangeLog
    from precoro_daemon.mirror.ports.custom_fields import CustomFields
    from precoro_daemon.mirror.ports.deliveries import Deliveries
    from precoro_daemon.mirror.ports.mirror import Mirror, WantedDetails
    from precoro_daemon.mirror.ports.shapes import ShapeBook
    from precoro_daemon.payments.ports.journal import Journal
    from precoro_daemon.payments.ports.ledger_payments import LedgerPayments
    from precoro_daemon.payments.ports.paid_set import PaidSet
    from precoro_daemon.quota.ports import BudgetBook, FreshnessBook
    from precoro_daemon.runtime.ports import LapBook
    from precoro_daemon.status.facts import FactBook
    from precoro_daemon.status.notices import NoticeBook
    from precoro_daemon.status.reading import Overview


class Store:
    """The repositories of an open state. All of them write through one writer."""

    mirror: Mirror
    change_log: ChangeLog
    budget_book: BudgetBook
    freshness_book: FreshnessBook
    attachments: AttachmentBook
    custom_fields: CustomFields
    journal: Journal
    ledger_payments: LedgerPayments
    paid_set: PaidSet
    lap_book: LapBook
    deliveries: Deliveries
    catalogue: Catalogue
    notice_book: NoticeBook
    export_feed: ExportFeed
    push_book: PushBook
    shape_book: ShapeBook
    fact_book: FactBook


class Backup(Struct, frozen=True):
    """size: bytes"""

    path: Path
    size: int


class Restored(Struct, frozen=True):
    """former: where the state that was replaced is, or its log if nothing else was left of it; None if there was none
    · calls: of the former state that the quota still counts, None if it could not be read"""

    former: Path | None
    calls: int | None


class State(Protocol):
    """The state of one company, under one address and for one identity. Nothing is reached before it is asked for.

    Whatever is asked raises StoreUnusable, in one sentence that says what to do, for a state that is not ours to use
    (another company's, a newer version's, another program's, damaged); it is left untouched. StoreUnavailable where
    the same may work later.
    """

    def open(self) -> AbstractAsyncContextManager[Store]:
        """Hold it against every other process until the context ends; it is made if there is none.

        Cancelled while it opens or closes, it is let go of. Raises StoreHeld naming who holds it. A store whose state
        was removed or replaced meanwhile raises StoreUnusable at whatever is asked of it.
        """
        ...

    def open_read_only(self) -> AbstractAsyncContextManager[Store]:
        """For reading only, beside its holder; one of an older version is brought up to date first, and for
        that moment held. Raises StoreHeld."""
        ...

    def exists(self) -> bool:
        """Whether there is one. Blocking. Raises StoreUnusable also if one could not be made or written here."""
        ...

    def about(self) -> str:
        """What `check` says of the place and its engine beside its address, a line for each warning. Blocking."""
        ...

    def demand(self) -> None:
        """Blocking. Raises StoreUnusable if there is none, or if it is not this company's."""
        ...

    def overview(
        self,
        *,
        since: float,
        files: WantedFiles,
        details: WantedDetails,
        now: float,
        unwanted: Callable[[], bool] = lambda: False,
    ) -> Overview:
        """Everything as it was at one moment, without holding it: it never waits for the one writer and never keeps
        it waiting. Blocking.

        since     calls at or after this time
        files     whose attached files are wanted; details: whose details
        now       tells the changes of the last day from older ones
        unwanted  asked now and then; True ends the reading at once
        Raises StoreUnusable.
        """
        ...

    def open_tables(self) -> AbstractContextManager[Tables]:
        """All tables that can be exported, beside the holder, as they are at one moment. Blocking."""
        ...

    def back_up(self, target: Path, *, replace: bool) -> Backup:
        """Copy it as it is at one moment; the writer goes on. Blocking. The target is there completely or not at
        all, and durable on return."""
        ...

    def restore(self, backup: Path) -> Restored:
        """Put a backup in its place; what was there is kept under another name. Blocking.

        Killed at any moment, the old or the new state is there. Payments are disarmed, and calls that the former
        state made since still count. Raises StoreHeld, StoreUnusable; nothing is changed then.
        """
        ...

    def hand_over(self, path: Path) -> None:
        """Give what root made beside the state to the state's owner. Blocking."""
        ...
