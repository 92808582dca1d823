"""predicts where files are at Precoro's own origin, from the addresses it gave before

Theory of operation. Some files take two calls: the first returns the file's address, the second fetches it. Both are
charged if the address is at Precoro's own origin, so such files would take twice as many days. If several
addresses in
a row differ only by the file's id, the next file is requested at the address with its own id. Nothing depends on that
prediction: an answer that is not marked as a file is discarded, and the file is requested as before. A wrong
prediction
discards the pattern, and after a few of them no more are made. Signed addresses differ in more than the id, so
nothing
is learned from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from yarl import URL

_ALIKE = 5
"""Different files in a row with the same address pattern before the next one is predicted."""

_MOST_WRONG_GUESSES = 3
"""Wrong predictions after which no more are made."""

_ID = "\0"
"""Stands for the id in a pattern: no address contains it."""


@dataclass(slots=True)
class FileAddresses:
    _pattern: str | None = None
    _seen: set[int] = field(default_factory=set)
    _wrong_guesses: int = 0

    def learn(self, attachment: int, address: URL | None) -> None:
        """Records the address of a file that was not predicted, None if the API returned the file itself."""
        pattern = None if address is None else _pattern_of(attachment, address)
        if pattern is None or pattern != self._pattern:
            self._pattern, self._seen = pattern, set()
        self._seen.add(attachment)

    def guess(self, attachment: int) -> URL | None:
        """Returns the predicted address, None if there is none."""
        if self._pattern is None or len(self._seen) < _ALIKE or self._wrong_guesses >= _MOST_WRONG_GUESSES:
            return None
        return URL(self._pattern.replace(_ID, str(attachment)), encoded=True)

    def wrong(self) -> None:
        """Records that a prediction was wrong."""
        self._pattern, self._seen = None, set()
        self._wrong_guesses += 1


def _pattern_of(attachment: int, address: URL) -> str | None:
    """Returns the address with its id replaced, None if the id does not occur exactly once."""
    pattern, count = re.subn(rf"(?<!\d){attachment}(?!\d)", _ID, str(address.with_fragment(None)))
    return pattern if count == 1 else None
