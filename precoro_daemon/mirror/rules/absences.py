"""what a whole scan did not list: gone, to be requested, or not to be believed"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

_FEW = 10
"""Up to this many records may vanish at once whatever their share, unless they are all there were: in a short list a
few are a large share.
"""

_ASKED = 50
"""The number of missing records that are requested one by one. If all of them are gone, so are the others."""


class Missing(Struct, frozen=True):
    """A live record that a whole scan did not list.

    key  the address of its detail, None if it has none, or shares it with another live row
    """

    id: int
    key: int | str | None


class Absences(Struct, frozen=True):
    """gone     vanished for certain
    ask      a detail call decides
    rest     decided by the outcome of `ask`
    unclear  nothing is known about them
    refused  the number of those that are not believed
    """

    gone: Sequence[Missing] = ()
    ask: Sequence[Missing] = ()
    rest: Sequence[Missing] = ()
    unclear: Sequence[Missing] = ()
    refused: int = 0


def judge(
    missing: Sequence[Missing], live: int, *, max_share: float, askable: bool, unreadable: bool = False
) -> Absences:
    """Judges what a proved whole scan missed, of `live` records.

    A listing that shrinks by more than `max_share` is refused: keys are limited to roles, and a revoked role looks
    like a mass deletion. `askable`: a missing record may be something else than deleted (a row slipped from page to
    page, or left the filter), and there are details to request. `unreadable`: rows were listed, or only counted, that
    could not be identified, so each missing record may be among them, and only a detail shows whether it exists.
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
