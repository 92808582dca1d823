"""what was sent so far, compared with the caps"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.rules.caps import DAY, Caps, Spent, cap_reached
from precoro_daemon.payments.rules.obstacles import Obstacle
from precoro_daemon.payments.rules.states import Direction
from precoro_daemon.runtime.ports import Clock


@dataclass(slots=True)
class Spending:
    """The amounts sent in one direction, as counted by one lap.

    sent   number of payments sent in this lap
    today  by currency: what was sent in the 24 hours before the lap first asked, and since then
    """

    journal: Journal
    clock: Clock
    direction: Direction
    caps: Caps
    sent: int = 0
    today: dict[str, Decimal] = field(default_factory=dict)

    async def obstacle(self, currency: str, amount: Decimal) -> Obstacle | None:
        """Returns the cap that keeps the amount from being sent now, None if none does."""
        if currency not in self.today:
            amounts = await self.journal.spent(self.direction, currency, self.clock.now() - DAY)
            self.today[currency] = sum(amounts, Decimal(0))
        return cap_reached(self.caps, amount, Spent(self.today[currency], self.sent))

    def add(self, currency: str, amount: Decimal) -> None:
        """Adds an amount that was sent, or may have been. `obstacle` must have been called for the currency
        before.
        """
        self.today[currency] += amount
