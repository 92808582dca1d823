"""The example is the whole configuration: every key stands there, and it loads as it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel

from precoro_daemon.settings import (
    Settings,
    attachments,
    buckets,
    databases,
    exports,
    file_keys,
    items,
    ledger,
    ledger_access,
    ledger_business_central,
    ledger_csv,
    ledger_odoo,
    ledger_quickbooks,
    ledger_rest,
    ledger_sql,
    ledger_xero,
    listening,
    load,
    payments,
    sections,
)
from precoro_daemon.settings.lines import line_numbers
from precoro_daemon.settings.model import model_in

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def _with_every_key() -> str:
    """The example with its commented keys in force."""
    return re.sub(r"^# (\w+ = |\[[\w.\[\]]+$)", r"\1", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)


def _without_names_of_the_users_own(key: str, keys: Iterable[str]) -> str:
    """Below a key that holds a table of texts, the user chooses the names."""
    return next((known for known in keys if key.startswith(f"{known}.")), key)


def test_every_key_stands_in_the_example_and_no_other():
    paths = [path for path in line_numbers(_with_every_key()) if isinstance(path[-1], str)]
    found = {".".join(part for part in path if isinstance(part, str)) for path in paths}
    generic = {key.replace("filters.purchase_orders.", "filters.<collection>.") for key in found}
    generic = {re.sub(r"^exports\.\w+", "exports.<name>", key) for key in generic}
    known = file_keys()
    named = {_without_names_of_the_users_own(key, known) for key in generic}
    sections_named = {key for key in named if any(other.startswith(f"{key}.") for other in named)}
    assert named - sections_named - {"mirror_collections.filters.purchase_orders"} == known


def test_the_example_holds_the_defaults(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(EXAMPLE.parent)
    environ = {"PRECORO_TOKEN": "s3cret-key"}
    example = load(EXAMPLE, environ)
    default = load(None, environ | {"PRECORO_EMAIL": "x@y.z", "PRECORO_DAEMON__PRECORO__REGION": "us"})
    names = (
        "state",
        "limits",
        "fetch_details",
        "fetch_attachments",
        "resolve_custom_fields",
        "take_census",
        "ledger",
        "payments",
        "watch",
        "manage_items",
        "log",
    )
    for name in names:
        assert getattr(example, name) == getattr(default, name)
    assert example.exports == default.exports == {}
    assert example.mark_invoices_paid == default.mark_invoices_paid
    assert example.export_payments == default.export_payments
    mirror = default.mirror_collections
    assert example.mirror_collections.model_copy(update={"filters": {}}) == mirror
    assert example.mirror_collections.filter_of("purchase_orders") == mirror.filter_of("purchase_orders")
    assert example.precoro.timeout == default.precoro.timeout
    assert example.precoro.connect_timeout == default.precoro.connect_timeout


SECTIONS = [sections, attachments, buckets, databases, exports,
             items, payments, listening, ledger, ledger_sql, ledger_rest, ledger_csv,
            ledger_access, ledger_xero, ledger_quickbooks, ledger_odoo, ledger_business_central]  # fmt: skip


def _undocumented(module: ModuleType) -> list[str]:
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    missing = []
    for section in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for node, after in zip(section.body, [*section.body[1:], None], strict=True):
            if isinstance(node, ast.AnnAssign) and not isinstance(after, ast.Expr):
                missing.append(f"{section.name}.{ast.unparse(node.target)}")
    return missing


@pytest.mark.parametrize("module", SECTIONS)
def test_every_setting_says_what_it_means(module: ModuleType):
    assert _undocumented(module) == []


@pytest.mark.parametrize("section", [model_in(field.annotation) for field in Settings.model_fields.values()])
def test_every_section_is_frozen_and_closed(section: type[BaseModel]):
    assert section.model_config["frozen"]
    assert section.model_config["extra"] == "forbid"
    assert section.model_config["hide_input_in_errors"]
