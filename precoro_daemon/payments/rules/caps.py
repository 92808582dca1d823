"""how much may be sent at most: in one payment, in a day, in a lap"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from precoro_daemon.values.money import plain

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Caps:
    """None lifts a cap.

    per_payment  the largest amount of one payment, in whatever currency
    per_day      the largest sum of 24 hours, in each currency
    per_lap      the most payments of one lap
    """

    per_payment: Decimal | None = None
    per_day: Decimal | None = None
    per_lap: int | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What was sent: in the currency in question during the last day, and in this lap. A doubt counts as sent."""

    today: Decimal = Decimal(0)
    this_lap: int = 0


def held_by(caps: Caps, amount: Decimal, spent: Spent) -> str:
    """Which cap keeps it from being sent now; "" if none does."""
    if caps.per_payment is not None and amount > caps.per_payment:
        return f"{plain(amount)} is above the cap of {plain(caps.per_payment)} for one payment"
    if caps.per_day is not None and spent.today + amount > caps.per_day:
        sent = f"{plain(spent.today)} was sent in 24 hours"
        return f"{sent}, {plain(amount)} more is above the cap of {plain(caps.per_day)} a day"
    if caps.per_lap is not None and spent.this_lap >= caps.per_lap:
        return f"{spent.this_lap} payments were sent in this lap, which is its cap"
    return ""
