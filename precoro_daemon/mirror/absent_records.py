"""what a whole scan did not list: which of it is gone for certain"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from precoro_daemon.errors import BudgetSpent, DaemonError, KeyInDoubt, NotFound, PermanentError, TemporaryError
from precoro_daemon.mirror.ports.mirror import Committed, Mirror
from precoro_daemon.mirror.ports.precoro import Precoro
from precoro_daemon.mirror.rules.absences import Missing, judge
from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.quota.limits import Lane
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_MOST_UNANSWERED = 3
"""Documents that cannot be asked for, after which the others are left for later too."""


class Absent(Struct, frozen=True):
    """gone: ids of records · refused: so many of the `live` records are missing that it is not believed of any
    · unasked: what kept us from asking about others, None if nothing did"""

    gone: Sequence[int] = ()
    refused: int = 0
    live: int = 0
    unasked: DaemonError | None = None


async def find_gone(
    precoro: Precoro, mirror: Mirror, collection: Collection, committed: Committed, max_vanished: float
) -> Absent:
    """Of a scan that proved nothing nobody is gone. Where the list hides rows from this key, each missing one may be
    hidden: only its detail tells."""
    scan, cursor = committed.scan, committed.cursor
    if cursor.unproved:
        return Absent()
    missing, live = await mirror.missing(scan)
    unreadable = scan.rejected > 0 or cursor.hidden > 0
    askable = collection.detail and bool(scan.filter or (scan.last_page or 1) > 1 or unreadable)
    absences = judge(missing, live, max_share=max_vanished, askable=askable, unreadable=unreadable)
    confirmed, unasked = await _ask(precoro, collection, absences.ask)
    rest = absences.rest if len(confirmed) == len(absences.ask) else ()
    gone = [row.id for row in (*absences.gone, *confirmed, *rest)]
    return Absent(gone, absences.refused, live, unasked)


async def _ask(
    precoro: Precoro, collection: Collection, rows: Sequence[Missing]
) -> tuple[Sequence[Missing], DaemonError | None]:
    """Ask for the documents themselves: those that are not there, and what kept us from asking about others.

    A refusal of another kind proves nothing, and would come again.
    """
    gone: list[Missing] = []
    unanswered: list[TemporaryError] = []
    for row in rows:
        assert row.key is not None
        try:
            await precoro.detail(collection, row.key, Lane.CENSUS)
        except NotFound:
            gone.append(row)
        except (BudgetSpent, KeyInDoubt) as error:
            return gone, error
        except PermanentError as error:
            _log.warning("census_inconclusive", collection=collection.name, key=row.key, reason=str(error))
        except TemporaryError as error:
            unanswered.append(error)
            if len(unanswered) == _MOST_UNANSWERED:
                break
    return gone, unanswered[0] if unanswered else None
