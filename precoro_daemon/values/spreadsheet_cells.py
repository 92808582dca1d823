"""texts that a spreadsheet would take for formulas: made harmless in CSV files, and read back"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a formula begins, in full width too; an apostrophe before it makes a text of it, and of our own one more.

https://owasp.org/www-community/attacks/CSV_Injection
"""

FIRST_OF_A_FORMULA = frozenset("'=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""`harmless` and `restored` leave a text alone that begins with anything else."""

_WRITTEN_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,' \u00a0\u202f][0-9]{3})*(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?")


def harmless(text: str) -> str:
    """A number stays one, also below zero."""
    return f"'{text}" if _FORMULA.match(text) and not _WRITTEN_NUMBER.fullmatch(text) else text


def restored(text: str) -> str:
    """What `harmless` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
