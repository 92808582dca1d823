"""the states of one write to an item

Apart, as those who show them need nothing else of writes.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """planned  to be sent · sending: the permit is on disk, the request may be out · doubt: it may have been
    carried out, and is looked for · done · refused: Precoro said no · conflict: Precoro changed underneath, so it was
    not sent · dropped: another plan took its place, or a person gave it up"""

    PLANNED = "planned"
    SENDING = "sending"
    DOUBT = "doubt"
    DONE = "done"
    REFUSED = "refused"
    CONFLICT = "conflict"
    DROPPED = "dropped"


OPEN = (State.PLANNED, State.SENDING, State.DOUBT)
