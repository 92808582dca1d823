"""where at Precoro's own origin files are, learned from the addresses it gives

Theory of operation. Some files come by two calls: the first says where the file is, the second fetches it from there.
Both are charged where that address is at Precoro's own origin, so such files would take twice as many days. Where
several addresses in a row are the same but for the id of the file, the next file is asked for at the address that
follows from its own id. Nothing rests on that guess: an answer that does not call itself a file is thrown away, and
the file asked for as before. A guess that was wrong is forgotten, and after a few of them no other is made. Signed
addresses differ from file to file in more than the id, so nothing is learned from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from yarl import URL

_ALIKE = 5
"""Different files in a row whose addresses are alike, before the next one is guessed."""

_MOST_WRONG_GUESSES = 3
"""Wrong guesses, after which no other is made."""

_ID = "\0"
"""Stands for the id in a pattern: no address has it."""


@dataclass(slots=True)
class FileAddresses:
    _pattern: str | None = None
    _seen: set[int] = field(default_factory=set)
    _wrong_guesses: int = 0

    def learn(self, attachment: int, address: URL | None) -> None:
        """A file was not guessed; it came from this address, None if from the place where all files are asked for."""
        pattern = None if address is None else _pattern_of(attachment, address)
        if pattern is None or pattern != self._pattern:
            self._pattern, self._seen = pattern, set()
        self._seen.add(attachment)

    def guess(self, attachment: int) -> URL | None:
        """Where the file should be, None if that is not known."""
        if self._pattern is None or len(self._seen) < _ALIKE or self._wrong_guesses >= _MOST_WRONG_GUESSES:
            return None
        return URL(self._pattern.replace(_ID, str(attachment)), encoded=True)

    def wrong(self) -> None:
        """There was no such file where one was guessed."""
        self._pattern, self._seen = None, set()
        self._wrong_guesses += 1


def _pattern_of(attachment: int, address: URL) -> str | None:
    """The address with its id taken out; None where that is not in it exactly once."""
    pattern, count = re.subn(rf"(?<!\d){attachment}(?!\d)", _ID, str(address.with_fragment(None)))
    return pattern if count == 1 else None
