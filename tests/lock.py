"""Orders requirements.lock: first what the program needs to run, then what only its development does.

The container installs the first part alone. `python -m tests.lock RUNTIME LOCK`; RUNTIME is a lock of that part.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

MARK = "# From here on: for development only.\n"
_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)[^\n]*(?:\n[ \t][^\n]*)*\n", re.MULTILINE)


def ordered(lock: str, runtime: set[str]) -> str:
    """The entries of a lock, those named first, then the mark, then the others."""
    entries = {match["name"]: match[0] for match in _ENTRY.finditer(lock)}
    first = [text for name, text in entries.items() if name in runtime]
    rest = [text for name, text in entries.items() if name not in runtime]
    return "".join([*first, MARK, *rest])


def names(lock: str) -> set[str]:
    return {match["name"] for match in _ENTRY.finditer(lock)}


if __name__ == "__main__":
    runtime, whole = map(Path, sys.argv[1:])
    whole.write_text(ordered(whole.read_text("utf-8"), names(runtime.read_text("utf-8"))), "utf-8")
