"""what is known of suppliers and their items, and the plans for them"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from precoro_daemon.catalogue.rules.item_writes import Write
from precoro_daemon.catalogue.rules.write_states import State

if TYPE_CHECKING:
    from precoro_daemon.catalogue.rules.items import CustomField, Item, Seen
    from precoro_daemon.catalogue.rules.plan import Plan
    from precoro_daemon.catalogue.rules.suppliers import Supplier

Probed = Literal["list", "detail", ""]


@dataclass(frozen=True, slots=True)
class PlanState:
    """A plan in the store.

    wanted       rows it was made from; counts: its writes by state
    as_of        Precoro's side may differ from its time on (server's clock)
    checked_at   nothing it is about had changed until then (server's clock)
    probed       how items are read before they are written: by the list alone, by detail, not known yet
    ended        why it goes no further, "" as long as it does
    """

    number: int
    supplier: Supplier
    source: str
    wanted: int
    made_at: float
    as_of: float
    checked_at: float
    approved_at: float | None
    probed: Probed
    ended: str
    counts: Mapping[State, int]

    @property
    def open(self) -> int:
        return sum(self.counts.get(state, 0) for state in (State.PLANNED, State.SENDING, State.DOUBT))


@dataclass(frozen=True, slots=True)
class Made:
    """Where a plan comes from: named as people know it, how many rows, when, and as of when Precoro's side was known
    (server's clock)."""

    source: str
    wanted: int
    at: float
    as_of: float


class Catalogue(Protocol):
    """What is known of suppliers and their items: out of the mirror, and the plans. One writer.

    Every method that writes is one transaction, durable when it returns; cancellation leaves it done or not begun.
    Raises StoreUnusable when the disk is full, read-only or the file damaged.
    """

    async def suppliers(self) -> Sequence[Supplier]: ...

    async def fields(self) -> Sequence[CustomField]:
        """Custom fields of items by what their definitions say; those without one have a name alone."""
        ...

    async def seen(self) -> Seen:
        """What suppliers, units and all items show."""
        ...

    def items(self, supplier: int, fields: Mapping[int, CustomField]) -> AsyncIterator[Sequence[Item]]:
        """All live items of the supplier, by id, some at a time."""
        ...

    async def versions(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        """Of the live items among them."""
        ...

    async def changed_since(self, plan: int) -> Sequence[Item]:
        """Items whose row in the mirror is another one than when the plan was made, or has gone."""
        ...

    async def raw(self, ident: int) -> tuple[str, bytes] | None:
        """The item as the list gave it, and its version; None if it is not there any more."""
        ...

    async def wanted_before(self, supplier: int) -> int:
        """Rows of the last plan that was approved; 0 if there was none."""
        ...

    async def doubted(self, supplier: int) -> Sequence[str]:
        """Keys of new items that may be at Precoro by now and were not found yet."""
        ...

    async def save_plan(self, supplier: Supplier, made: Made, plan: Plan) -> PlanState:
        """The supplier's plan from now on. What an earlier one has left is dropped, but for what is in doubt."""
        ...

    async def plan(self, supplier: int) -> PlanState | None:
        """The supplier's last plan."""
        ...

    async def under_way(self) -> Sequence[PlanState]:
        """Plans that were approved and have something open."""
        ...

    async def approve(self, plan: int, *, at: float) -> None: ...

    async def note(self, plan: int, *, checked_at: float | None = None, probed: Probed | None = None) -> None: ...

    async def end(self, plan: int, reason: str) -> None:
        """It goes no further. What was not sent is dropped; what is in doubt is still looked for."""
        ...

    async def writes(self, plan: int, *states: State, limit: int = 500) -> Sequence[Write]:
        """In the order of the plan."""
        ...

    async def planned_for(self, plan: int, items: Sequence[int], keys: Sequence[str]) -> Sequence[Write]:
        """What is planned for these items, and new ones of these keys."""
        ...

    async def begin(self, write: Write, before: str, *, at: float) -> Write:
        """The permit: durable on return, with the item as it was. Raises StaleWrite."""
        ...

    async def move(
        self, write: Write, state: State, reason: str, *, item: int | None = None, check_at: float | None = None
    ) -> Write:
        """To another state. Raises StaleWrite if it is no longer in the one it was read in."""
        ...
