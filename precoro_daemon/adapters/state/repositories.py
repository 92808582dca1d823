"""the repositories on the transactions of one engine"""

from __future__ import annotations

from precoro_daemon.adapters.state.attachments import SqlAttachmentBook
from precoro_daemon.adapters.state.budget_book import SqlBudgetBook
from precoro_daemon.adapters.state.catalogue import SqlCatalogue
from precoro_daemon.adapters.state.change_log import SqlChangeLog
from precoro_daemon.adapters.state.custom_fields import SqlCustomFields
from precoro_daemon.adapters.state.deliveries import SqlDeliveries
from precoro_daemon.adapters.state.export_feed import SqlExportFeed
from precoro_daemon.adapters.state.fact_book import SqlFactBook
from precoro_daemon.adapters.state.freshness_book import SqlFreshnessBook
from precoro_daemon.adapters.state.journal import SqlJournal
from precoro_daemon.adapters.state.lap_book import SqlLapBook
from precoro_daemon.adapters.state.ledger_payments import SqlLedgerPayments
from precoro_daemon.adapters.state.mirror import SqlMirror
from precoro_daemon.adapters.state.notice_book import SqlNoticeBook
from precoro_daemon.adapters.state.paid_set import SqlPaidSet
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.push_book import SqlPushBook
from precoro_daemon.adapters.state.restore_guard import RestoreGuard
from precoro_daemon.adapters.state.session import Transactions
from precoro_daemon.adapters.state.shape_book import SqlShapeBook


def build_store(transactions: Transactions, restore_guard: RestoreGuard) -> Store:
    return Store(
        mirror=SqlMirror(transactions),
        change_log=SqlChangeLog(transactions),
        budget_book=SqlBudgetBook(transactions),
        freshness_book=SqlFreshnessBook(transactions),
        attachments=SqlAttachmentBook(transactions),
        custom_fields=SqlCustomFields(transactions),
        journal=SqlJournal(transactions, restore_guard),
        ledger_payments=SqlLedgerPayments(transactions),
        paid_set=SqlPaidSet(transactions),
        lap_book=SqlLapBook(transactions),
        deliveries=SqlDeliveries(transactions),
        catalogue=SqlCatalogue(transactions),
        notice_book=SqlNoticeBook(transactions),
        export_feed=SqlExportFeed(transactions),
        push_book=SqlPushBook(transactions),
        shape_book=SqlShapeBook(transactions),
        fact_book=SqlFactBook(transactions),
    )
