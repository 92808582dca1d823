"""what is known of custom fields, and which definitions are due"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.change_log import Move
from precoro_daemon.mirror.rules.field_references import FieldReadings


class DueField(Struct, frozen=True):
    """A field whose definition is to be asked for.

    collection  of the definition: document_custom_fields, item_custom_fields or supplier_custom_fields
    version     of its row in the mirror, None if it is not mirrored
    attempts    have failed since it was last good
    """

    collection: str
    id: int
    version: bytes | None = None
    attempts: int = 0


class CustomFields(Protocol):
    """What is known of custom fields.

    Every method that writes is one transaction, durable when it returns; cancellation leaves it done or not begun.
    Raises StoreUnusable when the disk is full, read-only or the file damaged.
    """

    async def save_readings(self, readings: FieldReadings, move: Move) -> None:
        """Store what was read out of the change log, and move the position of its follower; nothing of both if that
        was moved meanwhile. A reading that is stored a second time changes nothing.

        A field whose list row is new or changed may be asked for at once, whatever its last failure said.
        """
        ...

    async def due(self, *, before: float, older_than: float) -> Sequence[DueField]:
        """Fields some record refers to whose definition is missing, fetched before `older_than`, marked stale or
        older than its row in the mirror; without what has vanished or is quarantined until `before` or later."""
        ...

    async def save(self, due: DueField, detail: Detail, *, asked_at: float) -> None:
        """Store the definition among the details of the mirror, answered for `due.version`, and its options. A state
        of an option that is no longer so ends at `asked_at` and stays. Clears the quarantine of the field, and
        a stale mark that is not newer than `asked_at`."""
        ...

    async def quarantine(self, item: Quarantined) -> None:
        """Remember a failure under the stage DEFINITION or WITHHELD, instead of one under the other stage; a
        repeat raises `attempts` and keeps `since`."""
        ...

    async def mark_stale(self, collection: str, since: Mapping[int, float]) -> None:
        """The definition of each ID is another one since then (Unix seconds): it is due at once, whatever its last
        failure said. A field that no record refers to is not asked for; nothing happens."""
        ...
