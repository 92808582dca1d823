"""the log of pushes, and the receiver that takes them"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from precoro_daemon.exports.ports.feed import RecordKey
    from precoro_daemon.exports.ports.tables import Cells, Table

PushState = Literal["delivered", "waiting", "dead"]
"""delivered: the receiver took it · waiting: the receiver refused it, it is retried · dead: given up, until a person
revives it
"""


@dataclass(frozen=True, slots=True)
class Push:
    """One record, sent to one receiver.

    id          unique, and the same for every attempt
    collection  the label of the table that shows the record
    record, seq  the record's id, and the change after which it is sent
    settled_at  when the push was planned
    since       start of the time after which a refused push is given up
    tried_at, attempts  time of the last attempt, and number of attempts
    due_at      when a waiting push is retried
    answer      the receiver's last answer
    """

    id: str
    collection: str
    record: int
    seq: int
    settled_at: float
    since: float
    state: PushState = "waiting"
    tried_at: float = 0.0
    attempts: int = 0
    due_at: float = 0.0
    answer: str = ""


class PushBook(Protocol):
    """The log of pushes of named exports. Raises StoreUnusable. Each call is atomic, and durable on return."""

    async def known(self, export: str, after: int, upto: int) -> Collection[str]:
        """Returns the ids of the pushes in this range of changes whose outcome is known."""
        ...

    async def save(self, export: str, pushes: Sequence[Push]) -> None:
        """Saves these outcomes, and drops older undelivered pushes of the same records, which the new ones
        replace.
        """
        ...

    async def due(self, export: str, now: float, limit: int) -> Sequence[Push]:
        """Returns the waiting pushes that are due, oldest change first."""
        ...

    async def listed(self, export: str, *, dead: bool, limit: int) -> Sequence[Push]:
        """Returns the pushes tried last, newest first; only dead ones if `dead`."""
        ...

    async def counts(self, export: str) -> dict[str, int]:
        """Returns the number of pushes by state."""
        ...

    async def forget(self, export: str, before: float, most: int) -> None:
        """Deletes pushes that were delivered before a time, and all but the newest `most`."""
        ...

    async def stopped(self, export: str) -> str:
        """Returns the fingerprint of the receiver that stopped the export by answering 410 Gone, "" if it is not
        stopped.
        """
        ...

    async def stop(self, export: str, receiver: str) -> None:
        """Stops the export for this receiver; "" lets it resume."""
        ...

    async def revive(self, export: str, now: float) -> int:
        """Makes dead pushes due at once, lets a stopped export resume, and returns the number of revived pushes."""
        ...

    async def rewind(self, export: str, seq: int) -> bool:
        """Sends every change after `seq` again, under new ids, and lets a stopped export resume.

        Returns False and changes nothing if the export has not come that far.
        """
        ...

    async def change_before(self, at: float) -> int:
        """Returns the last change before a time, 0 if there is none."""
        ...

    async def drop(self, export: str, ident: str | None) -> int:
        """Drops one undelivered push by its id, or all dead ones if None, and returns how many were dropped."""
        ...


class Receiver(Protocol):
    """Where changes are sent. A cancelled push may have been taken; the same id may be sent again.

    Raises PushRefused if it refuses this record, ReceiverGone if it wants no more pushes at all, ReceiverBusy or
    ConnectionFault if it cannot take anything at present, and AddressRefused.
    """

    async def deliver(self, push: Push, table: Table, record: RecordKey, rows: Sequence[Cells]) -> None:
        """Sends a record with its rows in the table; no rows mean that the table no longer shows it."""
        ...

    async def probe(self) -> str:
        """Checks that the address answers, without sending data, and describes the answer.

        Raises ConnectionFault, AddressRefused.
        """
        ...


OpenReceiver = AbstractAsyncContextManager[Receiver]
"""Opens the connection to the receiver for the duration of the context."""
