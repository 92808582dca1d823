"""How SQLite finds the records that it is asked for by their ids."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing

import pytest

from precoro_daemon.adapters.state.session import Values
from precoro_daemon.adapters.state.sqlite.opening import empty_state
from precoro_daemon.adapters.state.sqlite.session import STATEMENTS


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("mirror.known_records", ("invoices", "[1, 2]")),
        ("mirror.known_with_details", {"collection": "invoices", "ids": "[1, 2]"}),
    ],
)
def test_each_is_looked_up_and_no_other_record_of_the_collection(statement: str, values: Values) -> None:
    with closing(sqlite3.connect(":memory:")) as state:
        state.deserialize(zlib.decompress(empty_state()))
        plan = state.execute(f"EXPLAIN QUERY PLAN {STATEMENTS[statement]}", values).fetchall()
    found = [step for *_, step in plan if step.startswith(("SEARCH records", "SCAN records"))]
    assert found == ["SEARCH records USING INDEX sqlite_autoindex_records_1 (collection=? AND id=?)"]
