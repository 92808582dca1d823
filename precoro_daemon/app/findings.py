"""what one check of `check` found: a sentence for people, and facts for programs"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """`facts`: values that JSON has, under keys that stay; paths too."""

    said: str
    facts: Mapping[str, Any] = field(default_factory=dict)
