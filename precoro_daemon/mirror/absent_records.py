"""which records that a whole scan did not list are gone for certain"""

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
"""Documents that cannot be requested, after which the others are left for later too."""


class Absent(Struct, frozen=True):
    """gone     ids of records
    refused  the number of missing records if they are too many of the `live` ones to be believed
    unasked  the error that kept others from being requested, None if none did
    """

    gone: Sequence[int] = ()
    refused: int = 0
    live: int = 0
    unasked: DaemonError | None = None


async def find_gone(
    precoro: Precoro, mirror: Mirror, collection: Collection, committed: Committed, max_vanished: float
) -> Absent:
    """Returns what is gone. After a scan that proved nothing, nothing is.

    If the list hides rows from this key, each missing one may be hidden: only its detail shows whether it exists.
    """
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
    """Requests the documents, and returns those that do not exist and the error that kept others from being
    requested.

    A refusal of another kind proves nothing, and would be repeated.
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
