"""SQL by name: every statement says what it answers and is used, and what an engine has of its own counts for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

import precoro_daemon.adapters.state as room
from precoro_daemon.adapters.state.custom_field_views import VALUE_VIEWS
from precoro_daemon.adapters.state.sqlite.session import STATEMENTS
from precoro_daemon.adapters.state.statements import Statements
from precoro_daemon.payments.rules.matching import MatchBy

ROOM = Path(room.__file__).parent
FILES = [path for path in sorted(ROOM.rglob("*.sql")) if path.parent.name != "schema"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_statement_says_what_it_answers(path: Path) -> None:
    for part in path.read_text().split("-- name: ")[1:]:
        name, first, *_ = part.splitlines()
        assert re.fullmatch(r"-- \S.*[.,:;\w]", first), f"{name} is followed by one line that says what it answers"


def test_every_statement_is_used_and_there_is_one_for_each_use() -> None:
    code = "\n".join(path.read_text() for path in ROOM.rglob("*.py"))
    statements = STATEMENTS.read_all()
    prefixes = {name.split(".")[0] for name in statements}
    named = [name for name in re.findall(r'"(\w+\.\w+)(?:\[{\w+}\])?"', code) if not name.endswith(".sql")]
    used = {name for name in named if name.split(".")[0] in prefixes}
    assert '"held_rows.{view}"' in code
    used |= {f"held_rows.{view}" for view in ("attachments", *VALUE_VIEWS)}
    assert used == {name.split("[")[0] for name in statements}


def test_what_an_engine_has_of_its_own_adds_to_the_shared_statements_or_takes_their_place(tmp_path: Path) -> None:
    own = tmp_path / "own.sql"
    own.write_text("-- name: meta.read\n-- The same.\nSELECT 1;\n\n-- name: engine.more\n-- More.\nSELECT 2;\n")
    statements = Statements(own)
    assert statements["meta.read"] == "SELECT 1;"
    assert statements["engine.more"] == "SELECT 2;"
    assert statements["mirror.count_live"] == STATEMENTS["mirror.count_live"]


def test_a_statement_with_a_hole_has_a_variant_for_each_way_to_match() -> None:
    for name in ("match_candidates", "taken_back", "namesakes"):
        for by in get_args(MatchBy):
            assert "{" not in STATEMENTS[f"ledger_payments.{name}[{by}]"]
