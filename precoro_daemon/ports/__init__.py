"""what jobs need from outside, as Protocols with written contracts"""

from precoro_daemon.ports.budget_book import BudgetBook
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
from precoro_daemon.ports.laps import LapReport
from precoro_daemon.ports.ledger import Abilities, Batch, Entry, Ledger, Recorded, Unreadable
from precoro_daemon.ports.mirror import Aside, Committed, Due, Mirror
from precoro_daemon.ports.precoro import Detail, Fresh, Outcome, PaymentDesk, PaymentOrder, Permit, Precoro
from precoro_daemon.ports.progress import Progress, Silent
from precoro_daemon.ports.time import Clock

__all__ = [
    "Abilities",
    "Aside",
    "Batch",
    "BudgetBook",
    "Claims",
    "Clock",
    "Committed",
    "Detail",
    "Due",
    "Entry",
    "Fresh",
    "Journal",
    "LapReport",
    "Ledger",
    "Line",
    "Meeting",
    "Mirror",
    "Misread",
    "Outcome",
    "PaidInvoice",
    "PaidSet",
    "PaymentDesk",
    "PaymentOrder",
    "Permit",
    "Precoro",
    "Progress",
    "Reading",
    "Recorded",
    "Silent",
    "Switch",
    "Unreadable",
]
