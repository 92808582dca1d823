"""which supplier a name means: by Precoro's id, unique code, or external id"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier of the mirror."""

    id: int
    name: str
    code: str | None = None
    external_id: str | None = None
    enabled: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a file may use for it."""
        return tuple(filter(None, (str(self.id), self.code, self.external_id, self.name)))

    def __str__(self) -> str:
        return f"{self.name} (id {self.id}{f', {self.code}' if self.code else ''})"


_NAME_BY_KIND: dict[str, Callable[[Supplier], str | None]] = {
    "id": lambda one: str(one.id),
    "code": lambda one: one.code,
    "external": lambda one: one.external_id,
}


def find_supplier(suppliers: Iterable[Supplier], called: str) -> Sequence[Supplier]:
    """Returns the suppliers that the name may mean; "id:7", "code:S-7" and "external:7" specify the kind of name."""
    kind, separator, rest = called.partition(":")
    ways = [_NAME_BY_KIND[kind]] if separator and kind in _NAME_BY_KIND else list(_NAME_BY_KIND.values())
    wanted = (rest if len(ways) == 1 else called).strip().casefold()
    # What has no such name is not meant by none.
    return [one for one in suppliers if wanted and wanted in {(way(one) or "").casefold() for way in ways}]
