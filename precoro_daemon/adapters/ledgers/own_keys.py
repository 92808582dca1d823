"""our key in a text of the ledger, which people may have written around and into"""

from __future__ import annotations

import re

_KEY = re.compile(
    r"(?<![0-9a-z-])[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?![0-9a-z-])",
    re.ASCII | re.IGNORECASE,
)
"""A UUID of version 5, which every key of ours is. Words around it prove nothing, and are not asked for."""

_SHORT_KEY = re.compile(r"(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{20}", re.ASCII)
"""With a letter and a digit: twenty digits alone may be a bank's reference."""


def key_in(text: object) -> str | None:
    found = _KEY.search(text) if isinstance(text, str) else None
    return found[0].lower() if found else None


def short_key_in(text: object) -> str | None:
    """A short key that stands alone: it is made of ordinary letters, so among others it would prove nothing."""
    return text.strip() if isinstance(text, str) and _SHORT_KEY.fullmatch(text.strip()) else None
