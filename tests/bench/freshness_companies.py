"""Companies that change their data as companies do: when, how much, and in which collections; drawn from a seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

HOUR_S = 3600.0
DAY_S = 86_400.0
START = 1_768_176_000.0
"""A Monday, two weeks before the week in which the month ends."""

LEARNED_DAYS, PLAYED_DAYS = 14, 14

_OFTEN: Mapping[str, float] = {
    "invoices": 0.30,
    "purchase_orders": 0.22,
    "receipts": 0.12,
    "purchase_requisitions": 0.10,
    "expenses": 0.08,
    "payments": 0.08,
    "items": 0.03,
    "suppliers": 0.02,
    "warehouse_requests": 0.01,
    "requests_for_proposals": 0.01,
    "contracts": 0.005,
    "stock_transfers": 0.005,
}
_SELDOM = (
    "taxes", "legal_entities", "locations", "departments", "users", "units", "currencies", "payment_terms",
    "approval_flows", "budgets", "item_categories", "custom_fields", "supplier_groups",
)  # fmt: skip
MIX: Mapping[str, float] = {**_OFTEN, **dict.fromkeys(_SELDOM, 0.0006)}
"""Share of a company's changes, of 25 collections."""

WEIGHTS: Mapping[str, float] = {"invoices": 4.0, "purchase_orders": 4.0, "payments": 2.0}

CLASSES: Mapping[str, Sequence[str]] = {
    "invoices, orders": ("invoices", "purchase_orders"),
    "other documents": tuple(name for name in _OFTEN if name not in {"invoices", "purchase_orders"}),
    "small sets": _SELDOM,
}

_QUIET = 0.03
"""Of what an office hour brings, at all others."""


@dataclass(frozen=True, eq=False)
class Company:
    """How much changes in an hour, of what it changes on average: by the hour since the start, and the collection."""

    name: str
    changes_a_day: float
    shape: Callable[[int, str], float]
    announced: float = 0.0
    edits: Mapping[int, int] = field(default_factory=dict)
    """Invoices that somebody changes all at once, by the hour."""
    steady: bool = True
    """As in the weeks before, and enough to learn from."""
    peaks: bool = False
    """Some days ask for more calls than a day may have: the optimum has no more on them either."""

    def busy(self, at: float) -> bool:
        """At least half as much as in a plain office hour."""
        return self.shape(int((at - START) // HOUR_S), "invoices") >= 0.5

    def rates(self, name: str, hours: range) -> Sequence[float]:
        """Changes a second, by the hour."""
        usual = sum(_office(hour, name) for hour in range(168)) / 168
        level = self.changes_a_day * MIX[name] / sum(MIX.values()) / DAY_S / usual
        return [level * self.shape(hour, name) for hour in hours]

    def changes(self, name: str, hours: range, random: Random) -> list[float]:
        """When each happens."""
        moments: list[float] = []
        for hour, rate in zip(hours, self.rates(name, hours), strict=True):
            begins = START + hour * HOUR_S
            count = _poisson(rate * HOUR_S, random) + (self.edits.get(hour, 0) if name == "invoices" else 0)
            moments += sorted(begins + random.random() * HOUR_S for _ in range(count))
        return moments


def _poisson(mean: float, random: Random) -> int:
    count, passed = 0, random.expovariate(1.0)
    while passed < mean:
        count, passed = count + 1, passed + random.expovariate(1.0)
    return count


def _day_and_hour(hour: int) -> tuple[int, int]:
    return hour // 24, hour % 24


def _office(hour: int, _: str) -> float:
    day, of_day = _day_and_hour(hour)
    return 1.0 if day % 7 < 5 and 8 <= of_day < 18 else _QUIET


def _shifts(hour: int, name: str) -> float:
    """The warehouse works at night and on Saturdays, the others in office hours."""
    day, of_day = _day_and_hour(hour)
    if name not in {"receipts", "warehouse_requests", "stock_transfers", "items"}:
        return _office(hour, name)
    return 1.0 if day % 7 < 6 and (of_day >= 21 or of_day < 5) else _QUIET


def _month_end(hour: int, name: str) -> float:
    """Four times as much from the 29th of January to the 2nd of February."""
    return _office(hour, name) * (4.0 if 17 <= hour // 24 <= 21 else 1.0)


def _new_habits(hour: int, name: str) -> float:
    """From the middle of the third week all work six hours later, and of orders three times as much."""
    if hour < 24 * 16:
        return _office(hour, name)
    return _office(hour - 6, name) * (3.0 if name == "purchase_orders" else 1.0)


def _holiday(hour: int, name: str) -> float:
    """Nobody works from Tuesday to Thursday of the third week."""
    return _QUIET if 15 <= hour // 24 <= 17 else _office(hour, name)


def _lively(hour: int, name: str) -> float:
    """As of an office with lunch, late workers and a slow Friday, where a day is unlike the next."""
    day, of_day = _day_and_hour(hour)
    lull = 0.5 if of_day == 12 else 0.6 if day % 7 == 4 else 0.3 if of_day in {7, 18, 19} and day % 7 < 5 else 0.0
    return (lull or _office(hour, name)) * (1 + 0.3 * math.sin(2.4 * day))


EDITED_HOUR = 24 * 9 + 10
"""Wednesday of the second week, ten o'clock."""

OFFICE = Company("office hours", 300, _office)
WEBHOOKS = Company("webhooks", 300, _office, announced=0.95)
EDITED = Company("5,000 at once", 300, _office, edits={EDITED_HOUR: 5_000})
COMPANIES: Sequence[Company] = (
    OFFICE,
    Company("lively office", 720, _lively),
    Company("night shifts", 300, _shifts),
    Company("month's end", 300, _month_end, peaks=True),
    Company("very busy", 7_200, _office),
    Company("holiday", 300, _holiday),
    Company("new habits", 300, _new_habits, steady=False),
    Company("silent", 2, _office, steady=False),
    EDITED,
    WEBHOOKS,
)
