"""the events of an intent: one small value for each kind"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from precoro_daemon.payments.rules.obstacles import Obstacle


@dataclass(frozen=True, slots=True)
class Terms:
    """What is to be paid, according to its source."""

    amount: Decimal
    currency: str
    day: date
    supplier: str | None
    supplier_id: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a person about something that only they can see. Without an answer nothing is sent, whatever the
    ledger says.

    about  ids of what they must check on the other side
    """

    about: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answered:
    """A person's answer: the payment must be sent, because what they were asked about is another payment."""

    other: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Assigned:
    """A person's assignment of the payment to an invoice that has another name in the ledger."""


Dialogue = Asked | Answered | Assigned
"""A question to a person, or the answer, as the journal keeps it beside an event."""


@dataclass(frozen=True, slots=True)
class Plan:
    name: ClassVar = "plan"
    dialogue: Assigned | None = None


@dataclass(frozen=True, slots=True)
class Replan:
    name: ClassVar = "replan"
    terms: Terms
    dialogue: Assigned | None = None


@dataclass(frozen=True, slots=True)
class Postpone:
    name: ClassVar = "postpone"
    obstacle: Obstacle


@dataclass(frozen=True, slots=True)
class Send:
    name: ClassVar = "send"


@dataclass(frozen=True, slots=True)
class Accept:
    """marked  whether it has our id there
    seen    whether its existence needs no further proof
    """

    name: ClassVar = "accept"
    remote_id: str
    remote_idn: int | str | None = None
    marked: bool = True
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Differ:
    """remote_id  the other side's id of what it recorded, None if it named no usable one"""

    name: ClassVar = "differ"
    remote_id: str | None


@dataclass(frozen=True, slots=True)
class Refuse:
    name: ClassVar = "refuse"


@dataclass(frozen=True, slots=True)
class Unsent:
    name: ClassVar = "unsent"


@dataclass(frozen=True, slots=True)
class Lose:
    name: ClassVar = "lose"
    check_at: float | None


@dataclass(frozen=True, slots=True)
class Find:
    """seen  whether what was found needs no further check"""

    name: ClassVar = "find"
    remote_id: str
    remote_idn: int | str | None = None
    seen: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """check_at  when to check again, None if not on a schedule"""

    name: ClassVar = "check"
    check_at: float | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    name: ClassVar = "repeat"


@dataclass(frozen=True, slots=True)
class Hold:
    """terms     what is to be paid now
    obstacle  what keeps it from being sent
    check_at  as for Check
    """

    name: ClassVar = "hold"
    dialogue: Asked | None = None
    terms: Terms | None = None
    obstacle: Obstacle | None = None
    check_at: float | None = None


@dataclass(frozen=True, slots=True)
class Withdraw:
    name: ClassVar = "withdraw"


@dataclass(frozen=True, slots=True)
class See:
    name: ClassVar = "see"


@dataclass(frozen=True, slots=True)
class Mark:
    name: ClassVar = "mark"


@dataclass(frozen=True, slots=True)
class Report:
    name: ClassVar = "report"


@dataclass(frozen=True, slots=True)
class Miss:
    name: ClassVar = "miss"


@dataclass(frozen=True, slots=True)
class Adopt:
    """seen  whether its existence needs no further proof"""

    name: ClassVar = "adopt"
    remote_id: str
    seen: bool = True


@dataclass(frozen=True, slots=True)
class Repost:
    name: ClassVar = "repost"
    dialogue: Answered | None = None
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    name: ClassVar = "drop"


Event = (
    Plan
    | Replan
    | Postpone
    | Send
    | Accept
    | Differ
    | Refuse
    | Unsent
    | Lose
    | Find
    | Check
    | Repeat
    | Hold
    | Withdraw
    | See
    | Mark
    | Report
    | Miss
    | Adopt
    | Repost
    | Drop
)


def dialogue_of(event: Event) -> Dialogue | None:
    return event.dialogue if isinstance(event, Plan | Replan | Hold | Repost) else None
