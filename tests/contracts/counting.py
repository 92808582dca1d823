"""What a state says of how many there are, held against a count of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

COUNTS = {
    "SELECT collection, records, vanished, unwanted, due FROM record_counts WHERE records > 0": """
        SELECT collection, count(*), count(vanished_at), count(*) FILTER (WHERE vanished_at IS NULL AND NOT wanted),
            count(*) FILTER (WHERE wanted AND vanished_at IS NULL AND detail_version IS DISTINCT FROM version)
        FROM records GROUP BY collection""",
    "SELECT collection, stored, bytes FROM file_counts WHERE stored > 0": """
        SELECT collection, count(*), sum(length) FROM attached_files
        WHERE stored_at IS NOT NULL AND gone_at IS NULL GROUP BY collection""",
    "SELECT direction, state, intents FROM intent_counts WHERE intents > 0": """
        SELECT direction, state, count(*) FROM intents GROUP BY direction, state""",
}
"""What is kept, and what it must be."""


def miscounted(query: Callable[[str], Iterable[Any]]) -> list[str]:
    """A line for each thing that is counted wrong."""
    found = (
        (kept, sorted(map(tuple, query(kept))), sorted(map(tuple, query(true)))) for kept, true in COUNTS.items()
    )
    return [f"{kept}: {said}, and not {true}" for kept, said, true in found if said != true]
