"""the store's SQL by name, read from the .sql files beside this module"""

from __future__ import annotations

import re
from pathlib import Path

_HERE = Path(__file__).parent
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


def read_named(file: str) -> dict[str, str]:
    """The statements of a file in which each begins with a line `-- name: ...`."""
    _, *parts = _NAME.split((_HERE / file).read_text(encoding="utf-8"))
    return {name: _COMMENT.sub("", text).strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


def read_migrations() -> list[str]:
    """The steps from an empty file to the present schema; the first makes version 1."""
    return [path.read_text(encoding="utf-8") for path in sorted((_HERE / "schema").glob("[0-9]*.sql"))]


SQL = read_named("statements.sql")
