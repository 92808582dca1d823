"""the seam to the program's memory: a state, and the repositories that it opens

It is in this room, the lowest that sees the repositories of all other rooms: those are siblings, and each knows only
its own. Jobs take single repositories; only the program's assembly takes a state.
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
    """size  bytes"""

    path: Path
    size: int


class Restored(Struct, frozen=True):
    """former  where the replaced state is, or only its log if nothing else was left; None if there was none
    calls   calls of the former state that the quota still counts, None if it was unreadable
    """

    former: Path | None
    calls: int | None


class State(Protocol):
    """The state of one company, at one address and for one identity. Nothing is accessed before it is needed.

    Every method raises StoreUnusable, in one sentence that says what to do, for a state that is not ours to use
    (another company's, a newer version's, another program's, damaged), and leaves it untouched; StoreUnavailable if a
    later attempt may succeed.
    """

    def open(self) -> AbstractAsyncContextManager[Store]:
        """Holds it against every other process until the context ends, and creates it if there is none.

        If cancelled while it opens or closes, it is released. Raises StoreHeld naming the holder. A store whose state
        was removed or replaced meanwhile raises StoreUnusable from every method.
        """
        ...

    def open_read_only(self) -> AbstractAsyncContextManager[Store]:
        """Opens it for reading, beside its holder. A state of an older version is updated first, and held for that
        moment. Raises StoreHeld.
        """
        ...

    def exists(self) -> bool:
        """Returns whether it exists. Blocking. Also raises StoreUnusable if it could not be created or written
        here.
        """
        ...

    def about(self) -> str:
        """Returns what `check` says about the place and its engine, with a line for each warning. Blocking."""
        ...

    def demand(self) -> None:
        """Raises StoreUnusable if it does not exist, or is not this company's. Blocking."""
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
        """Returns everything as it was at one moment, without holding it: it never waits for the writer, and never
        delays it. Blocking. Raises StoreUnusable.

        since     calls at or after this time
        files     whose attached files are wanted
        details   whose details are wanted
        now       tells the changes of the last day from older ones
        unwanted  called now and then; True ends the reading at once
        """
        ...

    def open_tables(self) -> AbstractContextManager[Tables]:
        """Opens a snapshot of all tables that can be exported, beside the holder. Blocking."""
        ...

    def back_up(self, target: Path, *, replace: bool) -> Backup:
        """Copies it as it is at one moment, while the writer continues. Blocking. The target is complete and durable,
        or absent.
        """
        ...

    def restore(self, backup: Path) -> Restored:
        """Replaces it by a backup, and keeps the former state under another name. Blocking.

        After a kill at any moment, the old or the new state is there. Payments are disarmed, and calls that the
        former state made since still count. Raises StoreHeld, StoreUnusable, and then changes nothing.
        """
        ...

    def hand_over(self, path: Path) -> None:
        """Gives a file that root created beside the state to the state's owner. Blocking."""
        ...
