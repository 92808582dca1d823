"""what came of one write, and the rule that tells it from the answer or the failure"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from precoro_daemon.errors import DaemonError, DoubtfulError, PermanentError, TemporaryError

T = TypeVar("T")


class OutcomeKind(StrEnum):
    """accepted  the answer names what was made or changed
    refused   the other side said no to this write in its own words
    unsent    nothing of it left, or a documented 429 says that nothing was done
    unknown   everything else
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNSENT = "unsent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What came of one write.

    text    what was said or what happened, fit for a log
    result  what the other side made of it, None unless it was accepted
    ended   what keeps every other write from leaving too, None if nothing does
    """

    kind: OutcomeKind
    text: str = ""
    result: T | None = None
    ended: DaemonError | None = None


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """A complete answer, as far as it matters for the outcome.

    status  of HTTP
    text    what was said, fit for a log
    own     the other side's own words. An error page of a proxy does not tell whether the request arrived
    result  what a good answer names as made or changed
    errors  what was refused, by field
    """

    status: int
    text: str
    own: bool
    result: T | None = None
    errors: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Convention:
    """What the answers to one kind of write mean, beyond what holds for every kind.

    ambiguous  fields whose refusal may speak of this very write, made by a request that arrived twice
    believed   further statuses that are believed in the other side's own words: what was said, made an outcome
    """

    ambiguous: frozenset[str] = frozenset()
    believed: Mapping[int, Callable[[str], Outcome[Any]]] = field(default_factory=dict)


_REFUSING = frozenset({400, 409, 422})


def outcome_of_reply(reply: Reply[T], convention: Convention) -> Outcome[T]:
    """The outcome of a write that was answered. Only a clear answer is believed."""
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
    """The outcome of a write whose answer did not come. Only what never left is known to have done nothing."""
    if isinstance(error, DoubtfulError):
        return Outcome(OutcomeKind.UNKNOWN, str(error))
    if isinstance(error, TemporaryError):
        return Outcome(OutcomeKind.UNSENT, str(error))
    return Outcome(OutcomeKind.UNKNOWN, str(error), ended=error)


def outcome_by_contract(error: DaemonError) -> Outcome[Any]:
    """The outcome where a port promises what its failures mean: a doubtful one may have written, a permanent one
    refuses this write, and any other wrote nothing and keeps the next one from succeeding."""
    if isinstance(error, DoubtfulError):
        return Outcome(OutcomeKind.UNKNOWN, str(error))
    if isinstance(error, PermanentError):
        return Outcome(OutcomeKind.REFUSED, str(error))
    return Outcome(OutcomeKind.UNSENT, str(error), ended=error)
