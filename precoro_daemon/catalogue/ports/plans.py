"""the known suppliers and items, and the plans for them"""

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
    """A stored plan.

    wanted      number of rows it was made from
    counts      its writes by state
    as_of       Precoro's side may have changed since this time (server's clock)
    checked_at  nothing in it had changed by this time (server's clock)
    probed      how items are read before they are written: from the list alone, by detail, or not known yet
    ended       why it does not continue, "" while it does
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
    """The origin of a plan: its name for people, the number of rows, when it was made, and the time for which
    Precoro's side
    was known (server's clock).
    """

    source: str
    wanted: int
    at: float
    as_of: float


class Catalogue(Protocol):
    """Suppliers and items from the mirror, and the plans. Has one writer.

    Every writing method is one transaction, durable on return. Cancellation leaves it done or not begun. Raises
    StoreUnusable if the disk is full or read-only, or the file is damaged.
    """

    async def suppliers(self) -> Sequence[Supplier]: ...

    async def fields(self) -> Sequence[CustomField]:
        """Returns the custom fields of items from their definitions; a field without a definition has only a name."""
        ...

    async def seen(self) -> Seen:
        """Returns the names that suppliers, units and all items use."""
        ...

    def items(self, supplier: int, fields: Mapping[int, CustomField]) -> AsyncIterator[Sequence[Item]]:
        """Yields the supplier's live items by id, in batches."""
        ...

    async def versions(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        """Returns the versions of those of the items that are live."""
        ...

    async def changed_since(self, plan: int) -> Sequence[Item]:
        """Returns the items whose row in the mirror changed or vanished since the plan was made."""
        ...

    async def raw(self, ident: int) -> tuple[str, bytes] | None:
        """Returns the item's row in the list and its version, None if it is gone."""
        ...

    async def wanted_before(self, supplier: int) -> int:
        """Returns the number of rows of the last approved plan, 0 if there was none."""
        ...

    async def doubted(self, supplier: int) -> Sequence[str]:
        """Returns the keys of new items that may exist at Precoro by now but were not found yet."""
        ...

    async def save_plan(self, supplier: Supplier, made: Made, plan: Plan) -> PlanState:
        """Saves the supplier's new plan. The rest of an earlier one is dropped, except what is in doubt."""
        ...

    async def plan(self, supplier: int) -> PlanState | None:
        """Returns the supplier's last plan."""
        ...

    async def under_way(self) -> Sequence[PlanState]:
        """Returns the approved plans with unfinished writes."""
        ...

    async def approve(self, plan: int, *, at: float) -> None: ...

    async def note(self, plan: int, *, checked_at: float | None = None, probed: Probed | None = None) -> None: ...

    async def end(self, plan: int, reason: str) -> None:
        """Ends the plan. Unsent writes are dropped; writes in doubt are still checked."""
        ...

    async def writes(self, plan: int, *states: State, limit: int = 500) -> Sequence[Write]:
        """Returns the plan's writes in these states, in the order of the plan."""
        ...

    async def planned_for(self, plan: int, items: Sequence[int], keys: Sequence[str]) -> Sequence[Write]:
        """Returns the planned writes for these items, and for new ones with these keys."""
        ...

    async def begin(self, write: Write, before: str, *, at: float) -> Write:
        """Grants the permit: on return it is durable, with the item before the write. Raises StaleWrite."""
        ...

    async def move(
        self, write: Write, state: State, reason: str, *, item: int | None = None, check_at: float | None = None
    ) -> Write:
        """Moves the write to another state. Raises StaleWrite if it is no longer in the state it was read in."""
        ...
