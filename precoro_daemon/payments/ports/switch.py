"""whether payments may be sent"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether payments may be sent, and why not."""

    armed: bool
    reason: str = ""
