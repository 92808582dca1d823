"""The parts of the manual that the code owns: tables of what it declares, written between marks."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from precoro_daemon.adapters.listener.metrics import METRICS
from precoro_daemon.adapters.state.views import described_views, record_views
from precoro_daemon.cli.running import EXIT_CODES
from precoro_daemon.mirror.rules.collections import COLLECTIONS, DOCUMENTS, STATUSES, WITH_FILES
from precoro_daemon.payments.rules.transitions import TABLE, diagram
from precoro_daemon.runtime.schedules import Every
from precoro_daemon.sandbox.fault_kinds import KINDS
from precoro_daemon.settings.meanings import meanings
from precoro_daemon.settings.model import ANY_NAME, SECRETS, Settings, model_in
from precoro_daemon.settings.sections import Filters
from precoro_daemon.telemetry import EVENTS

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "precoro_daemon" / "docs"

_MARKED = re.compile(r"(?<=<!-- generated: )(?P<name>[a-z ]+)( -->\n\n)(?:.*?\n)??\n?(?=<!-- end -->)", re.DOTALL)
_DEFAULTS = {tuple(COLLECTIONS): "all", DOCUMENTS: "all documents", WITH_FILES: "all that can have files"}


def pages() -> list[Path]:
    return sorted(MANUAL.glob("*.md"))


def filled(text: str) -> str:
    """The page with every generated part as the code has it now."""
    return _MARKED.sub(lambda found: f"{found['name']}{found[2]}{PARTS[found['name']]()}\n\n", text)


def _exit_codes() -> str:
    return _table(("code", "meaning"), EXIT_CODES.items())


def _events() -> str:
    return _table(("event", "what it reports"), ((f"`{name}`", meaning) for name, meaning in EVENTS.items()))


def _metrics() -> str:
    rows = ((_labelled(name, meaning.labels), meaning.text) for name, meaning in METRICS.items())
    return _table(("metric", "what it reports"), rows)


def _labelled(name: str, labels: Sequence[str]) -> str:
    return f"`{name}{{{','.join(labels)}}}`" if labels else f"`{name}`"


def _transitions() -> str:
    rows = ((f"`{row.source or 'new'}`", f"`{row.event.name}`", f"`{row.target}`", row.meaning) for row in TABLE)
    return _table(("state", "event", "next state", "when"), rows)


def _diagram() -> str:
    return f"```mermaid\n{diagram()}\n```"


def _collections() -> str:
    lines = {view.name: view.lines for view in record_views()}
    rows = (
        (
            f"`{name}`",
            f"`{one.path}`",
            f"`{lines[name]}`" if one.lines else "",
            "yes" if one.is_document else "on demand" if one.detail else "",
            "yes" if one.files else "",
            ", ".join(f"`{each}`" for each in Filters.model_fields if each in one.filters),
        )
        for name, one in COLLECTIONS.items()
    )
    return _table(("view", "list at Precoro", "view of its lines", "details", "files", "filters"), rows)


def _columns() -> str:
    """One row for each column; what many views have in common is said once."""
    views: dict[tuple[str, str, str], list[str]] = {}
    for view, columns in described_views().items():
        for column in columns:
            views.setdefault((column.name, column.kind.value, column.meaning), []).append(view)
    rows = ((f"`{name}`", kind, meaning, _named(found)) for (name, kind, meaning), found in views.items())
    return _table(("column", "type", "meaning", "views"), rows)


def _named(views: Sequence[str]) -> str:
    """By name, but for what all of a sort have."""
    left = list(views)
    told = []
    for sort, members in _SORTS.items():
        if set(members) <= set(left):
            told.append(sort)
            left = [view for view in left if view not in members]
    return ", ".join((*told, *(f"`{view}`" for view in left)))


def _statuses() -> str:
    return ", ".join(f"`{name}` {number}" for name, number in STATUSES.items())


def _faults() -> str:
    return ", ".join(f"`{kind}`" for kind in KINDS)


def _settings() -> str:
    return "\n\n".join(_sections(Settings, ""))


def _sections(model: type[BaseModel], path: str) -> Iterator[str]:
    """A heading and a table for each section, in the order of the model."""
    for name, field in model.model_fields.items():
        below = Filters if name == "filters" else model_in(field.annotation)
        if below is None:
            continue
        place = f"{path}{name}{_OWN_NAMES.get(name, '')}"
        yield _section(below, place, listed=field.annotation is not None and "tuple" in str(field.annotation))
        yield from _sections(below, f"{place}.")


_OWN_NAMES = {"filters": ".<collection>", "exports": f".{ANY_NAME}"}
"""Sections of which there are several, by names."""


def _section(model: type[BaseModel], place: str, *, listed: bool) -> str:
    head = f"### `[[{place}]]`" if listed else f"### `[{place}]`"
    about = inspect.cleandoc(model.__doc__ or "").replace("\n", " ")
    keys = [
        (f"`{name}`", _default(field), meanings(model)[name])
        for name, field in model.model_fields.items()
        if name != "filters" and model_in(field.annotation) is None and (*place.split("."), name) not in SECRETS
    ]
    table = _table(("key", "default", "meaning"), keys) if keys else ""
    return "\n\n".join(part for part in (head, about, table) if part)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value == "" or (isinstance(value, tuple | frozenset | dict) and not value):
        return ""
    if isinstance(value, tuple) and value in _DEFAULTS:
        return _DEFAULTS[value]
    return f"`{_as_toml(value, str(field.metadata))}`"


def _as_toml(value: Any, told: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Every):
        return f'"{_duration(value.seconds)}"'
    if isinstance(value, dict) and set(value.values()) == {None}:  # a schedule by collection, none of which is fixed
        return '"auto"'
    if "a duration" in told:
        return f'"{_duration(value)}"'
    if "number of bytes" in told:
        return f'"{value // 2**30}GiB"'
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f'{key} = "{text}"' for key, text in value.items()) + " }"
    return str(value) if re.fullmatch(r"\d+", str(value)) else f'"{value}"'


def _duration(seconds: float) -> str:
    unit, size = next((unit, size) for unit, size in _UNITS.items() if not seconds % size)
    return f"{seconds / size:.0f}{unit}"


_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


def _table(titles: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


_RECORDS = tuple(view.name for view in record_views())
_SORTS = {
    "every record": ("documents", *_RECORDS),
    "every document": ("documents", *(view.name for view in record_views() if view.is_of_documents)),
    "every line": ("document_lines", *(view.lines for view in record_views() if view.lines)),
    "every custom value": tuple(view for view in described_views() if view.endswith("_custom_values")),
}
"""Views that have columns in common."""

PARTS: dict[str, Callable[[], str]] = {
    "collections": _collections,
    "columns": _columns,
    "diagram": _diagram,
    "events": _events,
    "exit codes": _exit_codes,
    "fault kinds": _faults,
    "metrics": _metrics,
    "settings": _settings,
    "statuses": _statuses,
    "transitions": _transitions,
}
