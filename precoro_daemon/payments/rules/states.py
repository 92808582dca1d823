"""the directions and states of an intent, and the outcomes of an attempt"""

from __future__ import annotations

from enum import StrEnum


class Direction(StrEnum):
    """The side that must get the payment."""

    TO_PRECORO = "to_precoro"
    TO_LEDGER = "to_ledger"


class State(StrEnum):
    """planned    it must be sent, and nothing of it is in progress
    sending    the write-ahead permit is on disk; an outcome is not
    confirmed  the other side has it
    rejected   the other side refused it, or a person or the ledger took it back
    doubt      it may have been carried out
    review     a person decides
    """

    PLANNED = "planned"
    SENDING = "sending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    DOUBT = "doubt"
    REVIEW = "review"


UNRESOLVED = frozenset({State.PLANNED, State.SENDING, State.DOUBT, State.REVIEW})


class AttemptOutcome(StrEnum):
    """accepted  the other side answered with an id
    refused   the other side refused it
    unsent    nothing of it left, or it was turned away before it was read
    unknown   everything else
    found     it was unknown, and a check found the payment
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNSENT = "unsent"
    UNKNOWN = "unknown"
    FOUND = "found"


MADE_NOTHING = frozenset({AttemptOutcome.UNSENT, AttemptOutcome.REFUSED})
"""Outcomes that prove that the attempt created no payment."""
