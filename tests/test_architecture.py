"""The shape of the code base: sizes, the map, the example config."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from precoro_daemon.app.jobs import JOB_NAMES
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.settings import file_keys
from precoro_daemon.telemetry import EVENTS
from tests.maps import map_of, rooms, shown

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "precoro_daemon"
MODULES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "core", "manager"}
MANY_VALUES = {
    "TABLE": "the transitions of a room's state machine; a room has one",
}
"""Names of constants that may have another value in another module, each with the reason."""


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def too_large(path: Path) -> Iterator[str]:
    if path.read_text().count("\n") > 400:
        yield f"{named(path)}: a module over 400 lines is cut by meaning"
    for function in functions(path):
        length = (function.end_lineno or 0) - function.lineno + 1
        if length > 50:
            yield f"{named(path)}: {function.name} has {length} lines"
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        count = len([argument for argument in arguments if argument.arg not in ("self", "cls")])
        if count > 6:
            yield f"{named(path)}: {function.name} has {count} parameters"


def test_sizes() -> None:
    assert [fault for path in MODULES for fault in too_large(path)] == []


def test_names() -> None:
    wrong = [path for path in MODULES if FORBIDDEN_NAMES & set(path.relative_to(PACKAGE).with_suffix("").parts)]
    assert list(map(named, wrong)) == []


def constants(path: Path) -> Iterator[tuple[str, str]]:
    """Every name in capitals that a module gives at its top level, with what it is set to."""
    for node in parsed(path).body:
        match node:
            case ast.Assign(targets=targets, value=ast.expr() as value):
                pass
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                targets = [target]
            case _:
                continue
        for name in (part for target in targets for part in ast.walk(target)):
            if isinstance(name, ast.Name) and re.fullmatch(r"_?[A-Z][A-Z0-9_]*", name.id):
                yield name.id, ast.unparse(value)


def test_no_constant_has_two_meanings() -> None:
    """Who knows a name from one module knows it in all. The sandbox stands alone, and so do its names."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in MODULES:
        if PACKAGE / "sandbox" not in path.parents:
            for name, value in constants(path):
                found.setdefault(name, {}).setdefault(value, []).append(named(path))
    ambiguous = {name: values for name, values in found.items() if len(values) > 1}
    assert ambiguous.keys() - MANY_VALUES.keys() == set(), {n: list(v.values()) for n, v in ambiguous.items()}
    assert MANY_VALUES.keys() <= ambiguous.keys(), "an exemption that nothing needs"


def test_every_job_is_named_verb_noun() -> None:
    assert JOB_NAMES
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", name) for name in JOB_NAMES)


@pytest.mark.parametrize("room", rooms(), ids=named)
def test_maps(room: Path) -> None:
    """The docstring of a room names every file in it with the first line of that file: `python -m tests.maps`."""
    assert shown(room) == map_of(room)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]


def test_what_is_imported_is_declared_and_the_reverse() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    declared = {re.split(r"[\[<>=]", line)[0].replace("-", "_").lower() for line in needed}
    used = {name for path in MODULES for name in imported(path)} - sys.stdlib_module_names - {"precoro_daemon"}
    called_otherwise = {"mt940": "mt_940", "psycopg_pool": "psycopg"}
    assert {called_otherwise.get(name, name) for name in used} == declared


def test_dependencies_are_explained() -> None:
    """Every dependency has its reason beside it."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    entries = [line for line in lines if re.match(r'\s+"[\w-]+(\[\w+\])?[<>=]', line)]
    assert len(entries) > 10
    assert all("# " in line for line in entries)


def test_lock_names_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock


def test_every_declared_event_is_logged_somewhere() -> None:
    """And no event is logged under a name put together at run time."""
    text = "".join(path.read_text() for path in MODULES if path.name != "telemetry.py")
    text += (PACKAGE / "telemetry.py").read_text().split("EVENTS: ")[1].split("Every event")[1]
    assert [event for event in EVENTS if f'"{event}"' not in text] == []


def test_example_config_and_settings_have_the_same_keys() -> None:
    """A key counts as present when it stands in the example with a value, or commented out as an alternative."""
    shown: set[str] = set()
    section = ""
    for line in (ROOT / "precoro_daemon" / "docs" / "config.example.toml").read_text().splitlines():
        if match := re.match(r"(?:# )?\[{1,2}([a-z_.]+)\]{1,2}$", line):
            section = match[1]
        elif match := re.match(r"(?:# )?([a-z_]+) = ", line):
            shown.add(f"{section}.{match[1]}")
    for name in COLLECTIONS:
        shown = {key.replace(f".filters.{name}.", ".filters.<collection>.") for key in shown}
        shown = {key.replace(f"freshness.weights.{name}", "freshness.weights") for key in shown}
    shown = {re.sub(r"^exports\.\w+\.", "exports.<name>.", key) for key in shown}
    assert shown == file_keys()
