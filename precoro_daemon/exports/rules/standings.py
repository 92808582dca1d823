"""how far tables in a database are, and whether they can be brought on from there"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """What a database says of itself, written in the transaction that wrote the rows.

    position  all changes up to this one are in it · schema: what the columns of its tables are
    """

    position: int
    schema: str


def can_go_on(standing: Standing | None, schema: str, position: int, planned: int | None) -> bool:
    """Whether what changed since is enough. Else the tables are filled anew.

    position  how far the state knows them to be · planned: how far it meant to bring them when it heard no more

    A database that is behind was restored from a backup: what changed since is in the change log. One that is ahead
    of what the state knows and meant shows that the state was restored: its changes may bear the numbers of others.
    """
    if standing is None or standing.schema != schema:
        return False
    return standing.position <= position or standing.position == planned
