"""facts about Precoro that only a live account shows, and what to set accordingly"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

NAMES: Mapping[str, str] = {
    "same_get_scope": "identical GETs",
    "refused_calls": "refused calls",
    "limits": "limits",
    "time_zone": "times",
    "list_order": "order of lists",
    "list_totals": "totals of lists",
    "attachment_sizes": "sizes of files",
    "external_ids": "ids of payments",
    "webhooks": "webhooks",
}
"""Every fact in the order in which people see them, with its subject."""


@dataclass(frozen=True, slots=True)
class Fact:
    """value  one of few words, "" if unknown
    said   the fact in a sentence, or why it is unknown
    at     when it was observed (Unix seconds)
    """

    name: str
    value: str
    said: str
    at: float


class FactBook(Protocol):
    """The known facts. Both methods raise StoreUnusable."""

    async def load(self) -> Sequence[Fact]: ...

    async def save(self, facts: Sequence[Fact]) -> None:
        """Replaces the stored facts; durable on return."""
        ...


def with_facts(known: Iterable[Fact], fresh: Iterable[Fact]) -> Sequence[Fact]:
    """Returns the newest known value of each; a fact that cannot be found out now keeps its former value."""
    kept = {one.name: one for one in known}
    for one in fresh:
        if one.value or not kept.get(one.name, one).value:
            kept[one.name] = one
    return [kept[name] for name in NAMES if name in kept]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A setting that a fact contradicts.

    value  in TOML
    """

    section: str
    key: str
    value: str | int
    because: str

    def __str__(self) -> str:
        return f"[{self.section}] {self.key} = {self.value!r}".replace("'", '"')


_WINDOWS = ("per_second", "per_minute", "per_hour", "per_day")


def suggestions(facts: Iterable[Fact], present: Mapping[str, str | int]) -> Sequence[Suggestion]:
    """Returns what to set otherwise. `present`: the present settings in [limits]. A limit is suggested only if more
    or less is granted than is set.
    """
    found: list[Suggestion] = []
    for fact in facts:
        wanted: Mapping[str, str | int] = {}
        if fact.name == "same_get_scope" and fact.value in ("url", "path"):
            wanted = {"same_get_scope": fact.value}
        elif fact.name == "limits":
            pairs = (pair.partition("=") for pair in fact.value.split())
            wanted = {name: int(number) for name, _, number in pairs if name in _WINDOWS and number.isdecimal()}
        found += [
            Suggestion("limits", key, value, fact.said) for key, value in wanted.items() if present.get(key) != value
        ]
    return found
