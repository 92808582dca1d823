"""The path of an amount, read as code: nothing in it makes a binary float of a number."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import precoro_daemon

PACKAGE = Path(str(precoro_daemon.__file__)).parent
PAYMENT_PATH = [
    *sorted((PACKAGE / "adapters" / "ledgers").glob("*.py")),
    *(PACKAGE / "values" / f"{name}.py" for name in ("sql_statements", "templates")),
    PACKAGE / "payments" / "rules" / "entries.py",
    PACKAGE / "payments" / "ports" / "ledger.py",
]
INEXACT = {"float", "round", "normalize", "quantize"}


def called(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "id", getattr(node.func, "attr", "")), node


@pytest.mark.parametrize("path", PAYMENT_PATH, ids=lambda path: path.stem)
def test_no_call_makes_a_float_or_rounds(path: Path):
    for name, call in called(ast.parse(path.read_text())):
        assert name not in INEXACT, f"line {call.lineno}: {name}()"
        if name == "loads":
            assert any(keyword.arg == "parse_float" for keyword in call.keywords), f"line {call.lineno}: inexact JSON"
        assert "orjson" not in ast.unparse(call.func), "orjson reads and writes floats"
