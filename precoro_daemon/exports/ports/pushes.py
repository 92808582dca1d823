"""what became of each push, and who takes them"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from precoro_daemon.exports.ports.feed import RecordKey
    from precoro_daemon.exports.ports.tables import Cells, Table

PushState = Literal["delivered", "waiting", "dead"]
"""delivered: the receiver took it · waiting: it refused it, and gets it again · dead: no more, unless a person
wants it"""


@dataclass(frozen=True, slots=True)
class Push:
    """One record, sent to one receiver.

    id          the same whenever it is sent, and nothing else ever has it
    collection  the table that shows the record
    record, seq  its id, and the change after which it is sent
    settled_at  when it was settled that it is sent
    since       from when on it counts how long it has been refused
    tried_at, attempts  the last time, and how many
    due_at      when a waiting one is sent again
    answer      what the receiver said last
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
    """The log of pushes of named exports. Raises StoreUnusable. What one call writes is durable on return, all of it
    or nothing."""

    async def known(self, export: str, after: int, upto: int) -> Collection[str]:
        """Ids of pushes for changes in a range of which is known what became."""
        ...

    async def save(self, export: str, pushes: Sequence[Push]) -> None:
        """What became of these. Older ones of the same records that were not delivered are forgotten: the record as
        it is now went out since, or waits."""
        ...

    async def due(self, export: str, now: float, limit: int) -> Sequence[Push]:
        """Waiting ones whose time has come, the oldest change first."""
        ...

    async def listed(self, export: str, *, dead: bool, limit: int) -> Sequence[Push]:
        """The last ones that were tried, the newest first; `dead`: of those alone."""
        ...

    async def counts(self, export: str) -> dict[str, int]:
        """How many there are by state."""
        ...

    async def forget(self, export: str, before: float, most: int) -> None:
        """Delivered ones that were sent before a time, and all but so many of the newest."""
        ...

    async def stopped(self, export: str) -> str:
        """For which receiver the export was stopped as nobody is there any more; "" if it was not."""
        ...

    async def stop(self, export: str, receiver: str) -> None:
        """ "": it goes on."""
        ...

    async def revive(self, export: str, now: float) -> int:
        """Dead ones wait again, due at once, and the export goes on if it was stopped; how many there were."""
        ...

    async def rewind(self, export: str, seq: int) -> bool:
        """All that changed behind `seq` goes out anew, under other ids, and the export goes on if it was stopped.
        False, and nothing: the export is not that far."""
        ...

    async def change_before(self, at: float) -> int:
        """The last change before a time, 0 if there is none."""
        ...

    async def drop(self, export: str, ident: str | None) -> int:
        """Forget a push that was not delivered, by its id, or all dead ones; how many."""
        ...


class Receiver(Protocol):
    """Who gets the changes. Cancellation leaves a push taken or not; the same id may come again.

    Raises PushRefused where it does not want this record; ReceiverGone where it wants no more at all; ReceiverBusy,
    ConnectionFault where it cannot take anything at present; AddressRefused.
    """

    async def deliver(self, push: Push, table: Table, record: RecordKey, rows: Sequence[Cells]) -> None:
        """`rows`: what the table shows of the record; none where it shows nothing any more."""
        ...

    async def probe(self) -> str:
        """Whether anybody answers at its address, and how; nothing of any record leaves. Raises ConnectionFault,
        AddressRefused."""
        ...


OpenReceiver = AbstractAsyncContextManager[Receiver]
"""The way to it, held until the context ends."""
