"""pushes of records: the next range, the ids, and what happens to a refused push

A range is planned durably before its first byte is sent, so after a kill the same changes are sent under the same
ids.
An id contains the time of the plan. A restored state counts its changes from an older number, and its ids must not
equal ids that the receiver already knows.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from precoro_daemon.errors import DaemonError, PushRefused, ReceiverBusy, TemporaryError
from precoro_daemon.exports.ports.feed import RecordKey
from precoro_daemon.exports.ports.pushes import Push
from precoro_daemon.exports.ports.tables import Table

_FIRST_PAUSE_S = 60.0
_LONGEST_PAUSE_S = 6 * 3600.0

PATIENCE_S = 3600.0
"""A receiver that answers but takes nothing of a range for this long may stumble over one record. That record then
waits
and the others go on.
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """A planned range: the changes after `after`, up to and including `upto`.

    at  when it was planned, in Unix seconds
    """

    after: int
    upto: int
    at: float

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))


def read_settled(text: str | None) -> Settled | None:
    return None if text is None else Settled(**json.loads(text))


def new_push(export: str, label: str, record: int, seq: int, settled_at: float) -> Push:
    # Without full stops, which stand between id, time and body where they are signed.
    ident = f"{export}-{label}-{record}-{seq}-{settled_at:.0f}"
    return Push(ident, label, record, seq, settled_at, since=settled_at)


def label_of(table: Table, collection: str) -> str:
    """Returns the collection named in a table's pushes. Records of several collections may share an id, so it names
    both.
    """
    return table.name if len(table.collections) == 1 else f"{table.name}/{collection}"


def record_of(push: Push, table: Table) -> RecordKey | None:
    """Returns the record that a push of this table carries, None if the push is another table's."""
    named = (one for one in table.collections if label_of(table, one) == push.collection)
    return next(((collection, push.record) for collection in named), None)


def delivered(push: Push, now: float) -> Push:
    return replace(push, state="delivered", tried_at=now, attempts=push.attempts + 1, answer="")


def refused(push: Push, answer: str, now: float, give_up_after: float) -> Push:
    """Returns the push after a refusal: it waits longer each time, and is dead after `give_up_after` seconds."""
    pause = min(_FIRST_PAUSE_S * 2.0 ** min(push.attempts, 12), _LONGEST_PAUSE_S)
    tried = replace(push, tried_at=now, attempts=push.attempts + 1, due_at=now + pause, answer=answer)
    return replace(tried, state="dead") if now - push.since >= give_up_after else replace(tried, state="waiting")


def is_of_the_record(failure: DaemonError, *, others_taken: bool, waited: float) -> bool:
    """Whether a failure concerns one record, and not the receiver as a whole.

    others_taken  the receiver took other pushes at the same time
    waited        seconds since the range was planned
    """
    if isinstance(failure, PushRefused):
        return True
    if isinstance(failure, ReceiverBusy) and waited >= PATIENCE_S:
        return True
    return others_taken and isinstance(failure, TemporaryError) and failure.wait is None
