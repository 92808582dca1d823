"""what jobs need from outside, as Protocols with written contracts"""

from precoro_daemon.ports.attachments import (
    AttachedFile,
    AttachmentBook,
    AttachmentSource,
    Draft,
    FileCounts,
    Folder,
    Incoming,
    Kept,
    StoredFile,
    WantedFiles,
)
from precoro_daemon.ports.budget_book import BudgetBook
from precoro_daemon.ports.custom_fields import CustomFields, DueField
from precoro_daemon.ports.deliveries import Deliveries, Delivery, DeliveryCounts
from precoro_daemon.ports.journal import (
    Claims,
    Journal,
    Line,
    Meeting,
    Misread,
    PaidInvoice,
    PaidSet,
    Reading,
    Switch,
)
from precoro_daemon.ports.lap_book import LapBook, LapTimes
from precoro_daemon.ports.laps import LapReport
from precoro_daemon.ports.ledger import Abilities, Batch, Entry, Ledger, Recorded, Unreadable
from precoro_daemon.ports.mirror import Age, Aside, Committed, Due, Known, Mirror
from precoro_daemon.ports.precoro import Detail, Fresh, Outcome, PaymentDesk, PaymentOrder, Permit, Precoro
from precoro_daemon.ports.progress import Progress, Silent
from precoro_daemon.ports.pulse import JobPulse, Pulse, Supervisor, Unsupervised
from precoro_daemon.ports.time import Clock
from precoro_daemon.ports.watch import (
    FileStock,
    Hour,
    ListState,
    PaymentStock,
    Quota,
    Snapshot,
    Stored,
    Tallies,
    Watcher,
)

__all__ = [
    "Abilities",
    "Age",
    "Aside",
    "AttachedFile",
    "AttachmentBook",
    "AttachmentSource",
    "Batch",
    "BudgetBook",
    "Claims",
    "Clock",
    "Committed",
    "CustomFields",
    "Deliveries",
    "Delivery",
    "DeliveryCounts",
    "Detail",
    "Draft",
    "Due",
    "DueField",
    "Entry",
    "FileCounts",
    "FileStock",
    "Folder",
    "Fresh",
    "Hour",
    "Incoming",
    "JobPulse",
    "Journal",
    "Kept",
    "Known",
    "LapBook",
    "LapReport",
    "LapTimes",
    "Ledger",
    "Line",
    "ListState",
    "Meeting",
    "Mirror",
    "Misread",
    "Outcome",
    "PaidInvoice",
    "PaidSet",
    "PaymentDesk",
    "PaymentOrder",
    "PaymentStock",
    "Permit",
    "Precoro",
    "Progress",
    "Pulse",
    "Quota",
    "Reading",
    "Recorded",
    "Silent",
    "Snapshot",
    "Stored",
    "StoredFile",
    "Supervisor",
    "Switch",
    "Tallies",
    "Unreadable",
    "Unsupervised",
    "WantedFiles",
    "Watcher",
]
