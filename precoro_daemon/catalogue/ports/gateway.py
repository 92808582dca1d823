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
    """An item that is to be made. What is None in `values` is left out."""

    supplier: int
    values: Values


@dataclass(frozen=True, slots=True)
class ItemReplacement:
    """An item that is there, with what it is to hold.

    Precoro forgets what a write leaves out. So the whole item is sent back as it was, with `values` over it.

    before  its JSON, exactly as it was read
    fields  custom fields by their ids, to read it by
    keep    fields beyond the documented ones that are sent back as they are
    """

    id: int
    before: str
    values: Values
    fields: Fields
    keep: Sequence[str] = ()


ItemContent: TypeAlias = NewItem | ItemReplacement


class ItemGateway(Protocol):
    """Reading and writing items at Precoro. Every call is charged before it leaves. Reading fails as for `Precoro`,
    with retries. Giving an item its external id is idempotent."""

    async def read_item(self, ident: int) -> str:
        """Its detail, as it is now. Precoro refuses an identical GET within a minute: may wait as long."""
        ...

    def changed_items(
        self, supplier: int, since: float
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Record]]]:
        """Items of the supplier that were created or changed at or after that time (Unix seconds), page by page;
        perhaps others among them."""
        ...

    async def create_item(self, item: NewItem, permit: Permit) -> Outcome[str]:
        """One request, on a connection of its own, never repeated. The result is the item's JSON.

        Nothing leaves unless it can within 5 s of the permit. Raises only what `permit` does, or what happened before
        it was called: BudgetSpent, AuthenticationError, Stopped. Cancelled after the permit, it may have been sent.
        """
        ...

    async def replace_item(self, item: ItemReplacement, permit: Permit) -> Outcome[str]:
        """The same for an item that is there."""
        ...

    async def name_item(self, ident: int, external_id: str) -> None:
        """Give an item this external id."""
        ...

    async def wait(self, seconds: float) -> None:
        """Sleep; returns early when no call may leave any more."""
        ...
