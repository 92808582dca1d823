"""what is remembered of the shapes of answers, and who watches them"""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Mapping, Sequence
from typing import Protocol

from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.mirror.rules.shapes import Place, Shape, ShapeChange


class ShapeBook(Protocol):
    """Shapes as they were learned, and what of them changed since. All raise StoreUnusable."""

    async def load(self) -> Mapping[Place, Shape]: ...

    async def changes(self) -> Sequence[ShapeChange]: ...

    async def save(self, shapes: Mapping[Place, Shape], changes: Sequence[ShapeChange] | None) -> None:
        """Each in the place of what was kept of it (None: as they are); one transaction, durable on return."""
        ...


class ShapeWatch(Protocol):
    """Sees answers as they come, and reads few of them. Raises StoreUnusable."""

    async def listed(self, collection: Collection, pages: Sequence[Page]) -> None:
        """Pages that were committed."""
        ...

    async def detailed(self, collection: Collection, raw: str) -> None: ...

    def lacks(self, collection: Collection, raw: str, accepted: Names[str] = ()) -> Sequence[str]:
        """What a detail has not, of all on which money depends and that other details have, or has otherwise: a
        sentence each. Without the fields that are `accepted`."""
        ...

    async def announced(self, type_: int) -> None:
        """A webhook of a type that nobody knows."""
        ...

    async def keep(self) -> None:
        """Make durable what was learned so far. (What was logged is at once.)"""
        ...


class Unwatched:
    """Nobody watches."""

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
