"""the stored shapes of answers, and the watch over them"""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Mapping, Sequence
from typing import Protocol

from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.mirror.rules.shapes import Place, Shape, ShapeChange


class ShapeBook(Protocol):
    """The learned shapes, and their changes since. All methods raise StoreUnusable."""

    async def load(self) -> Mapping[Place, Shape]: ...

    async def changes(self) -> Sequence[ShapeChange]: ...

    async def save(self, shapes: Mapping[Place, Shape], changes: Sequence[ShapeChange] | None) -> None:
        """Replaces the stored shapes and changes (None leaves them), in one transaction, durable on return."""
        ...


class ShapeWatch(Protocol):
    """Sees answers as they arrive, and reads few of them. Raises StoreUnusable."""

    async def listed(self, collection: Collection, pages: Sequence[Page]) -> None:
        """Sees pages that were committed."""
        ...

    async def detailed(self, collection: Collection, raw: str) -> None: ...

    def lacks(self, collection: Collection, raw: str, accepted: Names[str] = ()) -> Sequence[str]:
        """Returns a sentence for each field that money depends on, that other details have, and that this detail
        lacks or has in another type, except those that are `accepted`.
        """
        ...

    async def announced(self, type_: int) -> None:
        """Sees a webhook of an unknown type."""
        ...

    async def keep(self) -> None:
        """Stores durably what was learned so far. (Logged changes are stored at once.)"""
        ...


class Unwatched:
    """Watches nothing."""

    async def listed(self, collection: Collection, pages: Sequence[Page]) -> None:
        pass

    async def detailed(self, collection: Collection, raw: str) -> None:
        pass

    def lacks(self, collection: Collection, raw: str, accepted: Names[str] = ()) -> Sequence[str]:  # noqa: ARG002 - the port has them
        return ()

    async def announced(self, type_: int) -> None:
        pass

    async def keep(self) -> None:
        pass
