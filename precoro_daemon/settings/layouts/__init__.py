"""the payment file formats of banks and programs, as TOML files"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

LAYOUTS = ("chase", "datev", "dkb", "ing_de", "ing_nl", "n26", "revolut", "sparkasse", "vr", "wise")


def layout(name: str) -> dict[str, Any]:
    """Returns the keys of [ledger.csv] that the layout gives."""
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text("utf-8"))


def with_layout(given: dict[str, Any]) -> dict[str, Any]:
    """Returns the layout's keys overridden by the user's own keys, down to single columns and lists of values. An
    empty column or list removes that of the layout.
    """
    name = given.get("layout")
    if name not in LAYOUTS:
        return given
    merged = layout(str(name)) | given
    for table in ("columns", "only", "void", "skip"):
        below, own = layout(str(name)).get(table), given.get(table)
        if isinstance(below, dict) and isinstance(own, dict):
            merged[table] = {key: value for key, value in (below | own).items() if value not in ("", [])}
    return merged
