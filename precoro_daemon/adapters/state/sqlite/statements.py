"""the SQL of payments by name"""

from __future__ import annotations

from pathlib import Path

from precoro_daemon.adapters.state import statements

_META = statements.read_named(Path(statements.__file__).with_name("meta.sql"))
SQL = {"read_meta": _META["read"], "write_meta": _META["write"]}


def read_named(file: str) -> dict[str, str]:
    return statements.read_named(Path(__file__).with_name(file))
