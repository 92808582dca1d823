"""the most that may be sent: in one payment, in a day, in a lap"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from precoro_daemon.payments.rules.obstacles import Obstacle, ObstacleKind, obstacle
from precoro_daemon.values.money import plain

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Caps:
    """The caps; None stands for no cap.

    per_payment  the largest amount of one payment, in whatever currency
    per_day      the largest sum of 24 hours, in each currency
    per_lap      the most payments of one lap
    """

    per_payment: Decimal | None = None
    per_day: Decimal | None = None
    per_lap: int | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What was sent in one currency during the last day, and the number of payments in this lap. A payment in doubt
    counts as sent.
    """

    today: Decimal = Decimal(0)
    this_lap: int = 0


def cap_reached(caps: Caps, amount: Decimal, spent: Spent) -> Obstacle | None:
    """Returns the cap that keeps it from being sent now, None if none does."""
    if caps.per_payment is not None and amount > caps.per_payment:
        return obstacle(ObstacleKind.ABOVE_PAYMENT_CAP, plain(amount), plain(caps.per_payment))
    if caps.per_day is not None and spent.today + amount > caps.per_day:
        return obstacle(ObstacleKind.ABOVE_DAY_CAP, plain(spent.today), plain(amount), plain(caps.per_day))
    if caps.per_lap is not None and spent.this_lap >= caps.per_lap:
        return obstacle(ObstacleKind.LAP_CAP_REACHED, spent.this_lap)
    return None
