"""what can happen to an intent: one small value for each kind of event"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from precoro_daemon.payments.rules.obstacles import Obstacle


@dataclass(frozen=True, slots=True)
class Terms:
    """What is to be paid: as its source says it."""

    amount: Decimal
    currency: str
    day: date
    supplier: str | None
    supplier_id: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A person is asked for what only they can see. Nothing is sent without them, whatever the ledger says then.

    about  ids of what they must look at on the other side
    """

    about: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answered:
    """A person wants it sent: what they had been asked about is another payment."""

    other: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Assigned:
    """A person said which invoice it is for; the ledger calls that one otherwise."""


Dialogue = Asked | Answered | Assigned
"""What a person was asked or has said, as the journal keeps it beside an event."""


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
    """marked: it is called by our id there · seen: that it is there needs no further proof"""

    name: ClassVar = "accept"
    remote_id: str
    remote_idn: int | str | None = None
    marked: bool = True
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Differ:
    """remote_id: what the other side calls what it recorded, None if it named nothing usable"""

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
    """`seen`: what was found needs no further check."""

    name: ClassVar = "find"
    remote_id: str
    remote_idn: int | str | None = None
    seen: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """`check_at`: when to check again, None: not by itself."""

    name: ClassVar = "check"
    check_at: float | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    name: ClassVar = "repeat"


@dataclass(frozen=True, slots=True)
class Hold:
    """terms: what is to be paid by now · obstacle: what came in between · check_at as for Check"""

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
    """`seen`: that it is there needs no further proof."""

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
