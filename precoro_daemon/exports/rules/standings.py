"""the position of tables in a database, and whether they can be updated from there"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """What a database records about itself, in the transaction that writes the rows.

    position  the last change that its rows include
    schema    the columns of its tables
    """

    position: int
    schema: str


def can_go_on(standing: Standing | None, schema: str, position: int, planned: int | None) -> bool:
    """Whether applying the changes since its position is enough. If not, the tables are filled again.

    position  the tables' position as the state knows it
    planned   the position that an interrupted write was to reach, None if there was none

    A database that is behind was restored from a backup; the change log still has what it lacks. A database that
    is ahead
    of both values shows that the state was restored; its change numbers may now stand for other changes.
    """
    if standing is None or standing.schema != schema:
        return False
    return standing.position <= position or standing.position == planned
