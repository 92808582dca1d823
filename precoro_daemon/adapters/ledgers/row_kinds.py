"""which rows of a file are payments, undone payments or neither, and which way the money went"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Literal, TypeAlias

from precoro_daemon.adapters.ledgers.cells import CellError
from precoro_daemon.values.names import tidy

RowKind: TypeAlias = Literal["payment", "void", "skip"]
Values: TypeAlias = Mapping[str, Collection[str]]
ANY_OTHER = "*"


@lru_cache(maxsize=4096)
def as_compared(text: str) -> str:
    return tidy(text).casefold()


@dataclass(frozen=True, slots=True)
class Direction:
    """The values of a column that mean that money was paid out, and those that mean that it came in."""

    column: str
    paid_out: Collection[str]
    come_in: Collection[str]

    def is_out(self, value: str) -> bool:
        """Checks whether the money was paid out. Raises CellError for an unknown value."""
        said = as_compared(value)
        for is_out, values in ((True, self.paid_out), (False, self.come_in)):
            if said in map(as_compared, values):
                return is_out
        raise CellError(
            f"{self.column}: {value!r} says neither that money was paid out ({', '.join(self.paid_out)}) nor that it"
            f" came in ({', '.join(self.come_in)})"
        )


@dataclass(frozen=True, slots=True)
class RowKinds:
    """Decides by the values of some columns what a row is. A value in no list makes the row unreadable, for a person
    to decide.

    only  payments
    void  undone payments, with the amount 0
    skip  no payments

    "*" in one of the lists matches any other value.
    """

    only: Values = field(default_factory=dict)
    void: Values = field(default_factory=dict)
    skip: Values = field(default_factory=dict)
    direction: Direction | None = None

    @property
    def columns(self) -> Collection[str]:
        named = dict.fromkeys([*self.only, *self.void, *self.skip])
        return [*named, *([self.direction.column] if self.direction else [])]

    def judge(self, row: Mapping[str, str]) -> RowKind:
        """Returns the kind of a row. Raises CellError for an unknown value."""
        found = [self._kind_of(column, row[column]) for column in dict.fromkeys([*self.only, *self.void, *self.skip])]
        if "skip" in found:
            return "skip"
        for unknown in found:
            if unknown not in ("payment", "void"):
                raise CellError(unknown)
        return "void" if "void" in found else "payment"

    def _kind_of(self, column: str, value: str) -> RowKind | str:
        """Returns the kind that a column's value means, or an error message for an unknown value."""
        named: Mapping[RowKind, Values] = {"payment": self.only, "void": self.void, "skip": self.skip}
        lists = {kind: values.get(column, ()) for kind, values in named.items()}
        for said in (as_compared(value), ANY_OTHER):
            for kind, values in lists.items():
                if said in map(as_compared, values):
                    return kind
        known = "; ".join(f"{kind}: {', '.join(values)}" for kind, values in lists.items() if values)
        return f"{column}: {value!r} is not known; known are {known}"


def signed(amount: Decimal, *, out: bool, negate: bool, said: str) -> Decimal:
    """Returns the amount, positive for money paid out and negative for money that came in.

    If the amounts already have signs, they must agree with the direction. Raises CellError.
    """
    agrees = (amount >= 0 if out else amount <= 0) if negate else amount >= 0
    if not agrees:
        what = "paid out" if out else "come in"
        raise CellError(f"amount: {said} says {what}, but the sign of the amount says otherwise (see `negate`)")
    return amount if out or negate else -amount
