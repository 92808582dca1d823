"""received webhooks, stored until they are applied"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

UNKNOWN_TYPE = -1
"""The type of a delivery that only reports a webhook of an unknown type, which is its id and may be any number."""


class Delivery(Struct, frozen=True):
    """What Precoro says changed: a hint, never data.

    type     Precoro's number of a kind of record
    id, idn  the record's two names; idn is None if it has none
    came_at  when it last arrived (Unix seconds by the Clock); 0 if it is not stored yet
    """

    type: int
    id: int
    idn: int | None = None
    came_at: float = 0.0


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """waiting   not yet applied
    received  all that arrived, including repeated ones
    last_at   when the last one arrived, None if none did
    unheard   changes of the last day that polling found first, of kinds for which deliveries arrive
    """

    waiting: int = 0
    received: int = 0
    last_at: float | None = None
    unheard: int = 0


class DeliveryInbox(Protocol):
    """Stores deliveries when they arrive. Durable on return. Raises StoreUnusable."""

    async def note(self, batch: Sequence[Delivery], *, at: float) -> Sequence[Delivery]:
        """Stores deliveries, and returns those that were refused because too many wait already."""
        ...


class Deliveries(DeliveryInbox, Protocol):
    """One row for each announced record, however often it was announced.

    A delivery is due if it arrived after it was last applied. Durable on return. Raises StoreUnusable.
    """

    async def due(self, *, now: float, limit: int) -> Sequence[Delivery]:
        """Returns due deliveries, oldest first, without those that were applied less than a minute before."""
        ...

    async def next_due(self) -> float | None:
        """Returns when the first waiting delivery may be applied, None if none waits."""
        ...

    async def settle(self, batch: Sequence[Delivery], *, heard_at: float, at: float, outcome: str) -> None:
        """Records that they were applied, as far as they arrived at or before `heard_at`; later ones stay due."""
        ...

    async def postpone(self, batch: Sequence[Delivery], *, until: float) -> None:
        """Makes deliveries that could not be applied due at `until`."""
        ...

    async def counts(self, *, now: float) -> DeliveryCounts: ...
