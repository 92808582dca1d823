"""what a whole pass did not list: gone, to be asked about, or not to be believed"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_FEW = 10
"""Up to this many records may vanish at once whatever their share: in a small list a few are a large share."""

_ASKED = 50
"""So many are asked about one by one. If every one of them is gone, so are the others."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A live record that a whole pass did not list. `shares_idn`: another live row has the same idn."""

    id: int
    idn: int | str | None
    shares_idn: bool = False


@dataclass(frozen=True, slots=True)
class Absences:
    """gone: vanished for certain · ask: a detail call decides · rest: follows what `ask` finds · refused: a count"""

    gone: Sequence[Missing] = ()
    ask: Sequence[Missing] = ()
    rest: Sequence[Missing] = ()
    refused: int = 0


def judge(missing: Sequence[Missing], live: int, *, max_share: float, askable: bool) -> Absences:
    """Judge what a proved whole pass missed, of `live` records.

    A listing that shrinks by more than `max_share` is refused: keys are role-scoped, and a role that was taken away
    looks like a mass deletion. `askable`: the list had several pages, so a row may have slipped from one to the
    other, and the collection has details to ask for.
    """
    if len(missing) > _FEW and len(missing) > max_share * live:
        return Absences(refused=len(missing))
    if not askable:
        return Absences(gone=missing)
    # A detail by a shared idn answers for another row; such a row is judged by the list alone.
    certain = [row for row in missing if row.shares_idn or row.idn is None]
    doubtful = [row for row in missing if not (row.shares_idn or row.idn is None)]
    return Absences(gone=certain, ask=doubtful[:_ASKED], rest=doubtful[_ASKED:])
