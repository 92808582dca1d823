"""this program's key in a text of the ledger that people may have edited"""

from __future__ import annotations

from precoro_daemon.payments.rules.entries import OUR_SHORT_KEY, OUR_UUID


def key_in(text: object) -> str | None:
    found = OUR_UUID.search(text.lower()) if isinstance(text, str) else None
    return found[0] if found else None


def short_key_in(text: object) -> str | None:
    """Returns a short key that is the whole text. It has ordinary letters, so within other text it proves nothing."""
    return text.strip() if isinstance(text, str) and OUR_SHORT_KEY.fullmatch(text.strip()) else None
