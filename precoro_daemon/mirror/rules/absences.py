"""what a whole scan did not list: gone, to be asked about, or not to be believed"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

_FEW = 10
"""Up to this many records may vanish at once whatever their share, unless they are all there were: in a short list
a few are a large share."""

_ASKED = 50
"""So many are asked about one by one. If every one of them is gone, so are the others."""


class Missing(Struct, frozen=True):
    """A live record that a whole scan did not list.

    key  what addresses its detail; None if nothing does, or if the address is that of another live row too
    """

    id: int
    key: int | str | None


class Absences(Struct, frozen=True):
    """gone: vanished for certain · ask: a detail call decides · rest: follows what `ask` finds · unclear: nothing is
    known of them · refused: a count"""

    gone: Sequence[Missing] = ()
    ask: Sequence[Missing] = ()
    rest: Sequence[Missing] = ()
    unclear: Sequence[Missing] = ()
    refused: int = 0


def judge(
    missing: Sequence[Missing], live: int, *, max_share: float, askable: bool, unreadable: bool = False
) -> Absences:
    """Judge what a proved whole scan missed, of `live` records.

    A listing that shrinks by more than `max_share` is refused: keys are role-scoped, and a role that was taken away
    looks like a mass deletion. `askable`: to be missing may mean something else than to be deleted (a row slipped
    from page to page, or left the filter), and there are details to ask for. `unreadable`: rows were listed, or only
    counted, of which nobody knows which ones they are, so that each of the missing may be among them; only a detail
    tells.
    """
    if len(missing) > max_share * live and (len(missing) > _FEW or len(missing) == live > 2 or not max_share):
        return Absences(refused=len(missing))
    if unreadable:
        ask = [row for row in missing if askable and row.key is not None][:_ASKED]
        return Absences(ask=ask, unclear=[row for row in missing if row not in ask])
    if not askable:
        return Absences(gone=missing)
    certain = [row for row in missing if row.key is None]
    doubtful = [row for row in missing if row.key is not None]
    return Absences(gone=certain, ask=doubtful[:_ASKED], rest=doubtful[_ASKED:])
