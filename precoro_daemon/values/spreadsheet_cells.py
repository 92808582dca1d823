"""texts that a spreadsheet would read as formulas: escaped for CSV files, and read back"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""The start of a formula, in full width too. An apostrophe before it makes it text; ours get one more.

https://owasp.org/www-community/attacks/CSV_Injection
"""

FIRST_OF_A_FORMULA = frozenset("'=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""`harmless` and `restored` leave a text unchanged if it begins with any other character."""

_WRITTEN_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,' \u00a0\u202f][0-9]{3})*(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?")


def harmless(text: str) -> str:
    """Escapes a formula. Numbers, including negative ones, are unchanged."""
    return f"'{text}" if _FORMULA.match(text) and not _WRITTEN_NUMBER.fullmatch(text) else text


def restored(text: str) -> str:
    """Returns the text that `harmless` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
