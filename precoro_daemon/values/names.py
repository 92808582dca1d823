"""names in the forms in which they are compared: exactly, and nearly"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import normalize

from precoro_daemon.values.written_amounts import BENT_NUMBER, DASHES, INVISIBLE


def tidy(text: str) -> str:
    """Returns the text with accents in one form, without zero-width characters, and with single plain spaces."""
    if text.isascii():  # as nearly always: it has neither
        return " ".join(text.split())
    return normalize("NFC", " ".join(text.translate(INVISIBLE).split()))


def is_tidy(text: str) -> bool:
    """Returns whether `tidy` would at most strip the text. May return False for a text that needs closer
    inspection.
    """
    return text.isascii() and text.isprintable() and "  " not in text


def loose(text: str) -> str:
    """Returns a form that is equal for names which people and spreadsheets confuse: by case, spaces, dashes, leading
    zeros.
    """
    name = "".join(tidy(text).casefold().translate(DASHES).split())
    number = re.fullmatch(r"0*([0-9]+)(?:\.0+)?", name)
    return number[1] if number else name


def bent_forms(text: str) -> Iterator[str]:
    """Yields what a spreadsheet may turn a long number into: 1.2E+06, 1.23E+06 and so on, in the form of `loose`."""
    if text.isascii() and text.isdecimal() and 5 < len(text) < 30:
        for digits in range(len(text)):
            yield loose(f"{int(text):.{digits}E}")


def is_bent(text: str) -> bool:
    return "+" in text and BENT_NUMBER.fullmatch(text) is not None
