"""one change of the mirror as its log has it, and how far a follower has read"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

RecordChangeKind = Literal["created", "updated", "returned", "detailed", "vanished"]
ChangeKind = Literal[RecordChangeKind, "attached", "redefined", "offered"]
"""attached: the files of a record, or what is stored of them, are others. redefined: a custom field has another name
or type; offered: it has other options, or others by name."""


class Change(Struct, frozen=True):
    """A record was listed anew or otherwise, got a detail, or vanished; or what belongs to it changed.

    data  JSON as it is now: the detail of a change that is "detailed", else the list row; None if there is none any
          more, or if the follower does not read such changes
    at    when that detail was asked for (Unix seconds), None without one
    """

    seq: int
    collection: str
    id: int
    kind: ChangeKind
    data: bytes | None = None
    at: float | None = None


class Move(Struct, frozen=True):
    """A follower's position goes from one change to a later one. It is stored with what the changes between them
    meant, in one transaction: so no change is lost and none counts twice, whenever the process is killed."""

    follower: str
    after: int
    upto: int
