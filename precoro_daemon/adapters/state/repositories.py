"""the repositories on the transactions of one engine"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.restore_guard import RestoreGuard
from precoro_daemon.adapters.state.session import Transactions

_CLASSES: Mapping[str, str] = {
    "mirror": "SqlMirror",
    "change_log": "SqlChangeLog",
    "budget_book": "SqlBudgetBook",
    "freshness_book": "SqlFreshnessBook",
    "attachments": "SqlAttachmentBook",
    "custom_fields": "SqlCustomFields",
    "journal": "SqlJournal",
    "ledger_payments": "SqlLedgerPayments",
    "paid_set": "SqlPaidSet",
    "lap_book": "SqlLapBook",
    "deliveries": "SqlDeliveries",
    "catalogue": "SqlCatalogue",
    "notice_book": "SqlNoticeBook",
    "export_feed": "SqlExportFeed",
    "push_book": "SqlPushBook",
    "shape_book": "SqlShapeBook",
    "fact_book": "SqlFactBook",
}
"""The repository classes of a store, by their modules in this room."""


class _Repositories(Store):
    """Imports and creates each repository when it is first needed: a company without payments needs no journal."""

    def __init__(self, transactions: Transactions, restore_guard: RestoreGuard) -> None:
        self._given = {"journal": (transactions, restore_guard)}
        self._usually = (transactions,)

    def __getattr__(self, name: str) -> Any:
        if name not in _CLASSES:
            raise AttributeError(name)
        kind = getattr(import_module(f"{__package__}.{name}"), _CLASSES[name])
        repository = kind(*self._given.get(name, self._usually))
        setattr(self, name, repository)
        return repository


def build_store(transactions: Transactions, restore_guard: RestoreGuard) -> Store:
    return _Repositories(transactions, restore_guard)
