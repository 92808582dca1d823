"""foreign text as terminals and logs may show it: what would act on them, or hide, is written out"""

from __future__ import annotations

import re

_CONTROLS = "\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029"
"""They move the cursor, change colours and titles, end lines; half surrogate pairs cannot be written at all."""

_FORMATS = (
    "\u00ad\u061c\u070f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
"""Marks of direction, joiners, signs of no width, tags: text reads otherwise than it is."""

_BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef"
"""Letters and marks that show nothing. The selectors that emoji have (U+FE00 to U+FE0F) stay."""

_SHOWING_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    map(chr, range(0xE0100, 0xE01F0))
)
"""The same as a set: Python takes them for printable, and none of the others."""

_UNFIT = f"[{_CONTROLS}{_FORMATS}{_BLANKS}]"
_UNFIT_IN_LINES = f"(?!\n){_UNFIT}"
"""Compiled by the first text that needs it: a start takes a moment less."""

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str) -> str:
    """One line: a line break is written out too. JSON with such signs in its strings means the same afterwards."""
    if _is_fit(text):
        return text
    return re.sub(_UNFIT, _written, text)


def visible_lines(text: str) -> str:
    """The same for a text of ours that has several lines."""
    if _is_fit(text.replace("\n", "")):
        return text
    return re.sub(_UNFIT_IN_LINES, _written, text)


def _is_fit(text: str) -> bool:
    """As nearly every text is. It is seen at once, where the pattern takes its time to be compiled."""
    return text.isprintable() and (text.isascii() or _SHOWING_NOTHING.isdisjoint(text))


def _written(match: re.Match[str]) -> str:
    """As JSON writes it, beyond U+FFFF as two halves."""
    sign = match[0]
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    return _SHORT.get(sign) or "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
