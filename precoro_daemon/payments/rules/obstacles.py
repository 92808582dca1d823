"""why an intent is not sent now, as a value from which the sentence for people is made"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ObstacleKind(StrEnum):
    ROW_UNREADABLE = "row_unreadable"
    ROW_CHANGED = "row_changed"
    STILL_TO_COME = "still_to_come"
    NOT_PAYABLE = "not_payable"
    ABOVE_PAYMENT_CAP = "above_payment_cap"
    ABOVE_DAY_CAP = "above_day_cap"
    LAP_CAP_REACHED = "lap_cap_reached"
    SOURCE_GONE = "source_gone"
    SOURCE_CANCELED = "source_canceled"
    SUM_CHANGED = "sum_changed"
    BILL_CLOSED = "bill_closed"
    SUPPLIER_DIFFERS = "supplier_differs"
    INVOICE_UNFIT = "invoice_unfit"


_SENTENCES: Mapping[ObstacleKind, str] = {
    ObstacleKind.ROW_UNREADABLE: "its row in the ledger cannot be read now",
    ObstacleKind.ROW_CHANGED: "the ledger changed it meanwhile",
    ObstacleKind.STILL_TO_COME: "it is dated {0}, which is still to come",
    ObstacleKind.NOT_PAYABLE: "its invoice is {0} and cannot be paid now",
    ObstacleKind.ABOVE_PAYMENT_CAP: "{0} is above the cap of {1} for one payment",
    ObstacleKind.ABOVE_DAY_CAP: "{0} was sent in 24 hours, {1} more is above the cap of {2} a day",
    ObstacleKind.LAP_CAP_REACHED: "{0} payments were sent in this lap, which is its cap",
    ObstacleKind.SOURCE_GONE: "payment {0} no longer stands in Precoro",
    ObstacleKind.SOURCE_CANCELED: "payment {0} was cancelled in Precoro",
    ObstacleKind.SUM_CHANGED: "Precoro shows another sum by now",
    ObstacleKind.BILL_CLOSED: "its bill in the ledger takes no payment: {0}",
    ObstacleKind.SUPPLIER_DIFFERS: "the ledger names the supplier {0!r}, {1} has {2!r}",
    ObstacleKind.INVOICE_UNFIT: "what Precoro sends of its invoice is not as of others, or does not come",
}


_STATUSES = {
    "0": "open",
    "1": "pending approval",
    "2": "approved",
    "3": "denied",
    "4": "partly paid",
    "5": "paid",
    "6": "awaiting confirmation",
    "7": "on revise",
    "8": "cancelled",
    "9": "pending receipt",
    "10": "in approval review",
    "11": "closed",
}
"""The names of Precoro's statuses of an invoice for people."""


def _status_in_words(status: str) -> str:
    return _STATUSES.get(status, f"in status {status}")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """The reason why an intent is not sent now. It is journalled once, as long as the next one equals it.

    about   the values for the gaps in its sentence
    detail  further information, for people only
    """

    kind: ObstacleKind
    about: tuple[str, ...] = ()
    detail: str = field(default="", compare=False)

    def __str__(self) -> str:
        about = map(_status_in_words, self.about) if self.kind is ObstacleKind.NOT_PAYABLE else self.about
        sentence = _SENTENCES[self.kind].format(*about)
        return f"{sentence}: {self.detail}" if self.detail else sentence


def obstacle(kind: ObstacleKind, *about: object, detail: object = "") -> Obstacle:
    return Obstacle(kind, tuple(map(str, about)), str(detail))
