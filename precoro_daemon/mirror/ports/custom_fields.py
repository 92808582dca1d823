"""the known custom fields, and which definitions are due"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.change_log import Move
from precoro_daemon.mirror.rules.field_references import FieldReadings


class DueField(Struct, frozen=True):
    """A field whose definition is to be requested.

    collection  of the definition: document_custom_fields, item_custom_fields or supplier_custom_fields
    version     of its row in the mirror, None if it is not mirrored
    attempts    failures since the last success
    """

    collection: str
    id: int
    version: bytes | None = None
    attempts: int = 0


class CustomFields(Protocol):
    """The known custom fields.

    Every writing method is one transaction, durable on return; cancellation leaves it done or not begun. Raises
    StoreUnusable if the disk is full or read-only, or the file is damaged.
    """

    async def save_readings(self, readings: FieldReadings, move: Move) -> None:
        """Stores what was read from the change log, and moves the follower's position; does neither if it was moved
        meanwhile. Storing the same readings again changes nothing.

        A field whose list row is new or changed may be requested at once, whatever its last failure was.
        """
        ...

    async def due(self, *, before: float, older_than: float) -> Sequence[DueField]:
        """Returns the fields that a record refers to and whose definition is missing, was fetched before
        `older_than`, is marked stale, or is older than its row in the mirror; without vanished ones, and those
        quarantined until `before` or later.
        """
        ...

    async def save(self, due: DueField, detail: Detail, *, asked_at: float) -> None:
        """Stores the definition among the details of the mirror, as the answer for `due.version`, and its options.

        The former state of a changed option ends at `asked_at` and is kept. Clears the field's quarantine, and a
        stale mark that is not newer than `asked_at`.
        """
        ...

    async def quarantine(self, item: Quarantined) -> None:
        """Stores a failure at the stage DEFINITION or WITHHELD, in place of one at the other stage. A repeated
        failure increments `attempts` and keeps `since`.
        """
        ...

    async def mark_stale(self, collection: str, since: Mapping[int, float]) -> None:
        """Marks definitions as changed since a time (Unix seconds): they are due at once, whatever their last failure
        was. A field that no record refers to is not requested, and ignored.
        """
        ...
