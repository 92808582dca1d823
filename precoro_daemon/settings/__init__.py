"""TOML + environment + credential files → frozen Settings; the only reader of them"""

from precoro_daemon.settings.attachments import FetchAttachments
from precoro_daemon.settings.custom_fields import ResolveCustomFields
from precoro_daemon.settings.ledger import Ledger
from precoro_daemon.settings.listening import Watch
from precoro_daemon.settings.model import Settings, file_keys
from precoro_daemon.settings.payments import ExportPayments, MarkInvoicesPaid, Payments
from precoro_daemon.settings.reading import load, load_watch
from precoro_daemon.settings.sections import (
    FetchDetails,
    Filters,
    Limits,
    Log,
    MirrorCollections,
    Precoro,
    Reserve,
    State,
    TakeCensus,
)

__all__ = [
    "ExportPayments",
    "FetchAttachments",
    "FetchDetails",
    "Filters",
    "Ledger",
    "Limits",
    "Log",
    "MarkInvoicesPaid",
    "MirrorCollections",
    "Payments",
    "Precoro",
    "Reserve",
    "ResolveCustomFields",
    "Settings",
    "State",
    "TakeCensus",
    "Watch",
    "file_keys",
    "load",
    "load_watch",
]
