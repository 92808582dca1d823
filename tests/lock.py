"""Orders requirements.lock: what the program needs to run, then what installs it from its source, then the rest.

The container installs the first part alone, `make demo` the first two. `python -m tests.lock RUNTIME BUILD LOCK`;
RUNTIME is a lock of the first part, BUILD of the first two.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Set as AbstractSet
from pathlib import Path

BUILD_MARK = "# From here on: to install it from its source.\n"
MARK = "# From here on: for development only.\n"
_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)[^\n]*(?:\n[ \t][^\n]*)*\n", re.MULTILINE)


def ordered(lock: str, runtime: AbstractSet[str], build: AbstractSet[str]) -> str:
    """The entries of a lock, part by part, a mark before each part but the first."""
    entries = {match["name"]: match[0] for match in _ENTRY.finditer(lock)}
    parts = (runtime, build - runtime, entries.keys() - build - runtime)
    first, second, rest = ("".join(text for name, text in entries.items() if name in part) for part in parts)
    return f"{first}{BUILD_MARK}{second}{MARK}{rest}"


def names(lock: str) -> set[str]:
    return {match["name"] for match in _ENTRY.finditer(lock)}


if __name__ == "__main__":
    runtime, build, whole = map(Path, sys.argv[1:])
    parts = (names(path.read_text("utf-8")) for path in (runtime, build))
    whole.write_text(ordered(whole.read_text("utf-8"), *parts), "utf-8")
