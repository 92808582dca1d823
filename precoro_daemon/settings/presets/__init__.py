"""requests for accounting systems that are known, as TOML files"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

PRESETS = ("odoo",)


def preset(name: str) -> dict[str, Any]:
    """What stands in [ledger.rest] before the user's own keys."""
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))
