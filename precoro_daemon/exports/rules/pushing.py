"""pushes of records: which range is next, under which ids, and what becomes of one that is refused

What is pushed next is settled, durably, before the first byte leaves: killed at any step, the same changes go out
under the same ids again. The moment at which it was settled is part of the id. So is no id of a state that was
restored, whose changes bear the numbers of others, one that the receiver knows.
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
"""A receiver that answers, and takes nothing of a range for so long, may stumble over one record: others go on."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Changes behind `after` up to and including `upto`, which are pushed next or were last. at: when that was
    settled, in Unix seconds"""

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
    """What the pushes of a table are called: records of several collections may have the same id."""
    return table.name if len(table.collections) == 1 else f"{table.name}/{collection}"


def record_of(push: Push, table: Table) -> RecordKey | None:
    """The record of which a push tells what this table shows; None: it is of another table."""
    named = (one for one in table.collections if label_of(table, one) == push.collection)
    return next(((collection, push.record) for collection in named), None)


def delivered(push: Push, now: float) -> Push:
    return replace(push, state="delivered", tried_at=now, attempts=push.attempts + 1, answer="")


def refused(push: Push, answer: str, now: float, give_up_after: float) -> Push:
    """It waits for longer each time; one that was refused for too long is dead."""
    pause = min(_FIRST_PAUSE_S * 2.0 ** min(push.attempts, 12), _LONGEST_PAUSE_S)
    tried = replace(push, tried_at=now, attempts=push.attempts + 1, due_at=now + pause, answer=answer)
    return replace(tried, state="dead") if now - push.since >= give_up_after else replace(tried, state="waiting")


def is_of_the_record(failure: DaemonError, *, others_taken: bool, waited: float) -> bool:
    """Whether a failure says something of one record, and not of the receiver, to which nothing can be sent then.

    others_taken  it took others at the same time · waited: seconds since the range was settled
    """
    if isinstance(failure, PushRefused):
        return True
    if isinstance(failure, ReceiverBusy) and waited >= PATIENCE_S:
        return True
    return others_taken and isinstance(failure, TemporaryError) and failure.wait is None
