"""webhooks that came: kept until they are applied"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

UNKNOWN_TYPE = -1
"""Of a delivery that only says that one came of a type that nobody knows: its id is that type, which may be any
number."""


class Delivery(Struct, frozen=True):
    """What Precoro says changed: a hint, never data.

    type     Precoro's number of a kind of record · id, idn: its two names; idn is None where it has none
    came_at  when it last came (Unix seconds by the Clock); 0 for one that is not kept yet
    """

    type: int
    id: int
    idn: int | None = None
    came_at: float = 0.0


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """waiting: not yet applied · received: all that came, repeated ones too · last_at: when the last came (or None)
    · unheard: changes of the last day that polling found first, of kinds of which deliveries come"""

    waiting: int = 0
    received: int = 0
    last_at: float | None = None
    unheard: int = 0


class DeliveryInbox(Protocol):
    """Where deliveries are kept when they come. Durable on return. Raises StoreUnusable."""

    async def note(self, batch: Sequence[Delivery], *, at: float) -> Sequence[Delivery]:
        """Keep them; gives back those that were refused because too many wait already. All others are kept."""
        ...


class Deliveries(DeliveryInbox, Protocol):
    """One row for each record that was announced, whatever number of times.

    A delivery is due when it came after the last time it was applied. Durable on return. Raises StoreUnusable.
    """

    async def due(self, *, now: float, limit: int) -> Sequence[Delivery]:
        """Oldest first; without those that were applied less than a minute before."""
        ...

    async def next_due(self) -> float | None:
        """When the first of those that wait may be applied; None if none waits."""
        ...

    async def settle(self, batch: Sequence[Delivery], *, heard_at: float, at: float, outcome: str) -> None:
        """They are applied, as far as they came at `heard_at` or before; later ones stay due."""
        ...

    async def postpone(self, batch: Sequence[Delivery], *, until: float) -> None:
        """They could not be applied, and are not due before."""
        ...

    async def counts(self, *, now: float) -> DeliveryCounts: ...
