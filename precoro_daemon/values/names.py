"""names as they are compared: what looks the same is the same, what is nearly the same is seen"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import normalize

from precoro_daemon.values.written_amounts import BENT_NUMBER, DASHES, INVISIBLE


def tidy(text: str) -> str:
    """Accents in one form, no signs of no width, one plain space where there are spaces of any kind."""
    if text.isascii():  # as nearly always: it has neither
        return " ".join(text.split())
    return normalize("NFC", " ".join(text.translate(INVISIBLE).split()))


def is_tidy(text: str) -> bool:
    """Whether `tidy` would change nothing of it but spaces at its ends; False also where that takes a closer look."""
    return text.isascii() and text.isprintable() and "  " not in text


def loose(text: str) -> str:
    """Equal for names that people and spreadsheets take for each other: case, spaces, dashes, zeros in front."""
    name = "".join(tidy(text).casefold().translate(DASHES).split())
    number = re.fullmatch(r"0*([0-9]+)(?:\.0+)?", name)
    return number[1] if number else name


def bent_forms(text: str) -> Iterator[str]:
    """What a spreadsheet may make of a long number: 1.2E+06, 1.23E+06 and so on, in the form that `loose` gives."""
    if text.isascii() and text.isdecimal() and 5 < len(text) < 30:
        for digits in range(len(text)):
            yield loose(f"{int(text):.{digits}E}")


def is_bent(text: str) -> bool:
    return "+" in text and BENT_NUMBER.fullmatch(text) is not None
