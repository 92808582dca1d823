"""reading and writing items at Precoro"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from precoro_daemon.catalogue.rules.items import Fields, Values
from precoro_daemon.mirror.rules.documents import Record
from precoro_daemon.writes.outcome import Outcome
from precoro_daemon.writes.permit import Permit


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item to create. Values that are None are left out."""

    supplier: int
    values: Values


@dataclass(frozen=True, slots=True)
class ItemReplacement:
    """An existing item, with the values that it should get.

    Precoro clears what a write leaves out. So the whole item is sent back, with `values` over it.

    before  its JSON, exactly as it was read
    fields  custom fields by their ids, to read it with
    keep    fields beyond the documented ones that are sent back unchanged
    """

    id: int
    before: str
    values: Values
    fields: Fields
    keep: Sequence[str] = ()


ItemContent: TypeAlias = NewItem | ItemReplacement


class ItemGateway(Protocol):
    """Reading and writing items at Precoro. Every call is charged before it leaves.

    Reading fails as for `Precoro`, with retries. Setting an item's external id is idempotent.
    """

    async def read_item(self, ident: int) -> str:
        """Returns the item's present detail. May wait a minute, because Precoro refuses an identical GET within
        one.
        """
        ...

    def changed_items(
        self, supplier: int, since: float
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Record]]]:
        """Yields, page by page, the supplier's items that were created or changed at or after `since` (Unix seconds).

        Other suppliers' items may be among them.
        """
        ...

    async def create_item(self, item: NewItem, permit: Permit) -> Outcome[str]:
        """Sends one request on its own connection, and never repeats it. The result is the item's JSON.

        Nothing leaves later than 5 s after the permit. Raises only what `permit` raises, or what happened before
        it was
        called: BudgetSpent, AuthenticationError, Stopped. If cancelled after the permit, it may have been sent.
        """
        ...

    async def replace_item(self, item: ItemReplacement, permit: Permit) -> Outcome[str]:
        """Does the same for an existing item."""
        ...

    async def name_item(self, ident: int, external_id: str) -> None:
        """Sets the item's external id."""
        ...

    async def wait(self, seconds: float) -> None:
        """Sleeps; returns early when no more calls may leave."""
        ...
