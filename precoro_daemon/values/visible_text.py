"""foreign text for terminals and logs: escapes what acts on them or is invisible"""

from __future__ import annotations

import re

_CONTROLS = "\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029"
"""They move the cursor, change colours and titles, or end lines; half surrogate pairs cannot be written at all."""

_FORMATS = (
    "\u00ad\u061c\u070f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
"""Direction marks, joiners, zero-width characters and tags: with them a text reads differently from what it is."""

_BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef"
"""Letters and marks without a visible glyph. The variation selectors of emoji (U+FE00 to U+FE0F) are not among
them.
"""

_SHOWING_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    map(chr, range(0xE0100, 0xE01F0))
)
"""The same as a set: Python considers these printable, and none of the others."""

_UNFIT = f"[{_CONTROLS}{_FORMATS}{_BLANKS}]"
_UNFIT_IN_LINES = f"(?!\n){_UNFIT}"
"""Compiled when a text first needs it, so that the program starts a little faster."""

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str) -> str:
    """Returns the text in one line, with line breaks escaped too. JSON keeps its meaning."""
    if _is_fit(text):
        return text
    return re.sub(_UNFIT, _written, text)


def visible_lines(text: str) -> str:
    """Does the same for a text of ours that has several lines."""
    if _is_fit(text.replace("\n", "")):
        return text
    return re.sub(_UNFIT_IN_LINES, _written, text)


def _is_fit(text: str) -> bool:
    """Returns whether nothing needs escaping, as in nearly every text, without compiling the pattern."""
    return text.isprintable() and (text.isascii() or _SHOWING_NOTHING.isdisjoint(text))


def _written(match: re.Match[str]) -> str:
    """Escapes a character as JSON does, beyond U+FFFF as a surrogate pair."""
    sign = match[0]
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    return _SHORT.get(sign) or "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
