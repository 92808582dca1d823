"""what others changed at Precoro among a supplier's items since the last check"""

from __future__ import annotations

from dataclasses import dataclass, field

from precoro_daemon.catalogue.ports.gateway import ItemGateway
from precoro_daemon.catalogue.rules.items import Fields, Item, read_item
from precoro_daemon.runtime.ports import Clock

_OVERLAP_S = 60.0
"""Seconds by which a check overlaps the previous one, for writes that were then in progress."""

_FRESH_FOR_S = 30.0
"""Seconds for which a check counts as new. Repeating it would be refused for a minute as an identical GET."""

_STALE_AFTER_S = 180.0
"""The oldest check, in seconds, on which a write may be based: the quota may be closed for long."""


@dataclass(slots=True)
class ChangeCheck:
    """Asks Precoro what changed.

    known_until  all changes up to this time are known (server's clock)
    made_at      when the last check ended
    """

    gateway: ItemGateway
    clock: Clock
    supplier: int
    fields: Fields
    known_until: float
    made_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.made_at = self.known_until

    @property
    def is_fresh(self) -> bool:
        return 0 <= self.clock.now() - self.made_at < _FRESH_FOR_S

    @property
    def is_stale(self) -> bool:
        return self.clock.now() - self.made_at > _STALE_AFTER_S

    async def changed_since(self, since: float) -> dict[int, Item]:
        found: dict[int, Item] = {}
        began = self.clock.now()
        async with self.gateway.changed_items(self.supplier, since - _OVERLAP_S) as batches:
            async for records in batches:
                for record in records:
                    if (item := read_item(record.raw, self.fields, record.version)) is not None:
                        found[item.id] = item
        self.made_at = self.clock.now()
        # A wrong clock is set right by the first answer, and may have been ahead until then.
        self.known_until = min(began, self.made_at)
        return found
