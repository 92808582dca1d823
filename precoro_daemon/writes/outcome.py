"""the outcome of one write, and the rule that derives it from the answer or the failure"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from precoro_daemon.errors import DaemonError, DoubtfulError, PermanentError, TemporaryError

T = TypeVar("T")


class OutcomeKind(StrEnum):
    """accepted  the answer names the object that was created or changed
    refused   the other side refused this write in its own words
    unsent    nothing left, or a documented 429 says that nothing was done
    unknown   everything else
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNSENT = "unsent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The outcome of one write.

    text    what was said or what happened, fit for a log
    result  the created or changed object, None unless accepted
    ended   the failure that also prevents every other write, None if there is none
    """

    kind: OutcomeKind
    text: str = ""
    result: T | None = None
    ended: DaemonError | None = None


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """A complete answer, reduced to what matters for the outcome.

    status  the HTTP status
    text    what was said, fit for a log
    own     whether these are the other side's own words: a proxy's error page does not tell whether the request
    arrived
    result  the created or changed object that a good answer names
    errors  what was refused, by field
    """

    status: int
    text: str
    own: bool
    result: T | None = None
    errors: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Convention:
    """What the answers to one kind of write mean, in addition to the general rules.

    ambiguous  fields whose refusal may be caused by this very write, if the request arrived twice
    believed   further statuses that are believed in the other side's own words: turns the text into an outcome
    """

    ambiguous: frozenset[str] = frozenset()
    believed: Mapping[int, Callable[[str], Outcome[Any]]] = field(default_factory=dict)


_REFUSING = frozenset({400, 409, 422})


def outcome_of_reply(reply: Reply[T], convention: Convention) -> Outcome[T]:
    """Returns the outcome of an answered write. Only a clear answer is believed."""
    if 200 <= reply.status < 300 and reply.result is not None:
        return Outcome(OutcomeKind.ACCEPTED, reply.text, reply.result)
    if reply.own and reply.status == 429:
        return Outcome(OutcomeKind.UNSENT, reply.text)
    if reply.own and reply.status in convention.believed:
        return convention.believed[reply.status](reply.text)
    if reply.status in _REFUSING and reply.errors and convention.ambiguous.isdisjoint(reply.errors):
        return Outcome(OutcomeKind.REFUSED, reply.text)
    return Outcome(OutcomeKind.UNKNOWN, reply.text)


def outcome_of_failure(error: DaemonError) -> Outcome[Any]:
    """Returns the outcome of an unanswered write. Only a request that never left is known to have done nothing."""
    if isinstance(error, DoubtfulError):
        return Outcome(OutcomeKind.UNKNOWN, str(error))
    if isinstance(error, TemporaryError):
        return Outcome(OutcomeKind.UNSENT, str(error))
    return Outcome(OutcomeKind.UNKNOWN, str(error), ended=error)


def outcome_by_contract(error: DaemonError) -> Outcome[Any]:
    """Returns the outcome for a port that defines what its failures mean.

    A doubtful failure may have written, a permanent one refuses this write, and any other wrote nothing and
    prevents the
    next write too.
    """
    if isinstance(error, DoubtfulError):
        return Outcome(OutcomeKind.UNKNOWN, str(error))
    if isinstance(error, PermanentError):
        return Outcome(OutcomeKind.REFUSED, str(error))
    return Outcome(OutcomeKind.UNSENT, str(error), ended=error)
