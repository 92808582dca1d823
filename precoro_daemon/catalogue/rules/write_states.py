"""the states of one write to an item

A module of its own, because code that only shows states needs nothing else of writes.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """planned   not sent yet
    sending   the permit is durable, and the request may have left
    doubt     it may have been carried out, and is being checked
    done      Precoro accepted it
    refused   Precoro refused it
    conflict  not sent, because the item changed at Precoro
    dropped   replaced by another plan, or given up by a person
    """

    PLANNED = "planned"
    SENDING = "sending"
    DOUBT = "doubt"
    DONE = "done"
    REFUSED = "refused"
    CONFLICT = "conflict"
    DROPPED = "dropped"


OPEN = (State.PLANNED, State.SENDING, State.DOUBT)
