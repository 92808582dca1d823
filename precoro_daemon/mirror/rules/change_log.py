"""one change of the mirror in its log, and the move of a follower's position"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

RecordChangeKind = Literal["created", "updated", "returned", "detailed", "vanished"]
ChangeKind = Literal[RecordChangeKind, "attached", "redefined", "offered"]
"""attached   the files of a record changed, or what is stored of them
redefined  a custom field got another name or type
offered    a custom field got other options, or options with other names
"""


class Change(Struct, frozen=True):
    """A record was listed as new or changed, got a detail, or vanished; or something that belongs to it changed.

    data  its present JSON: the detail for a change that is "detailed", else the list row; None if there is none
    any more, or
          if the follower does not read such changes
    at    when that detail was requested (Unix seconds), None without one
    """

    seq: int
    collection: str
    id: int
    kind: ChangeKind
    data: bytes | None = None
    at: float | None = None


class Move(Struct, frozen=True):
    """A follower's position moves from one change to a later one. It is stored in one transaction with what the
    changes between them meant, so no change is lost and none counts twice, whenever the process is killed.
    """

    follower: str
    after: int
    upto: int
