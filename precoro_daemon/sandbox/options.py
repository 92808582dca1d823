"""the options of a sandbox: size, limits, time, list order, shapes"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Literal, get_args

Order = Literal["created_desc", "created_asc", "updated_desc", "updated_asc"]
Meta = Literal["both", "totals", "has_next"]
RetryAfter = Literal["utc", "seconds", "iso", "garbage", "absent", "past", "far"]
Rival = Literal["none", "same", "rest"]
Size = Literal["empty", "small", "medium", "large"]

SIZES: Mapping[str, Mapping[str, int]] = {
    "empty": {},
    "small": {
        "purchaseorders": 32, "invoices": 38, "receipts": 16, "expenses": 10, "purchaserequisitions": 12,
        "warehouserequests": 6, "requestforproposals": 6, "suppliers": 24, "items": 90, "contracts": 6,
        "documentcustomfields": 4, "itemcustomfields": 3, "suppliercustomfields": 2, "taxes": 5,
        "paymentterms": 4, "locations": 5, "legalentities": 3, "users": 9, "warehouses": 3, "units": 7,
        "budgets": 5, "stocktransfers": 4, "stock_takings": 3,
    },
    "medium": {
        "purchaseorders": 1_800, "invoices": 2_500, "receipts": 1_000, "expenses": 450,
        "purchaserequisitions": 700, "warehouserequests": 150, "requestforproposals": 150,
        "suppliers": 320, "items": 1_300, "contracts": 60, "documentcustomfields": 8, "itemcustomfields": 6,
        "suppliercustomfields": 4, "taxes": 8, "paymentterms": 8, "locations": 14, "legalentities": 6,
        "users": 60, "warehouses": 6, "units": 12, "budgets": 30, "stocktransfers": 40, "stock_takings": 12,
    },
    "large": {
        "purchaseorders": 28_000, "invoices": 42_000, "receipts": 16_000, "expenses": 6_000,
        "purchaserequisitions": 11_000, "warehouserequests": 2_000, "requestforproposals": 2_000,
        "suppliers": 2_400, "items": 9_000, "contracts": 600, "documentcustomfields": 14,
        "itemcustomfields": 10, "suppliercustomfields": 6, "taxes": 12, "paymentterms": 12, "locations": 60,
        "legalentities": 14, "users": 480, "warehouses": 16, "units": 20, "budgets": 200,
        "stocktransfers": 400, "stock_takings": 80,
    },
}  # fmt: skip
"""Rows per collection. The number of payments follows from the invoices and expenses that are paid."""


@dataclass(frozen=True)
class Quota:
    """The documented limits of one key. 0 lifts a limit."""

    per_second: int = 1
    per_minute: int = 60
    per_hour: int = 1_500
    per_day: int = 3_000
    same_get_per_minute: int = 1
    same_get_per_hour: int = 30
    same_get_scope: Literal["url", "path"] = "url"
    fixed: bool = False
    """Whether windows start with each second, minute, hour and day instead of sliding."""


@dataclass(frozen=True)
class SandboxOptions:
    """Everything that shapes one sandbox. `Sandbox.tune` changes some of it at runtime."""

    host: str = "127.0.0.1"
    port: int = 0
    size: Size = "small"
    seed: int = 1
    counts: Mapping[str, int] = field(default_factory=dict)
    """Rows per collection path, instead of the size's own. `payments` and `expensePayments` are upper bounds."""
    record_bytes: int = 0
    """Pads each document's list entry to this many bytes, for measurements."""
    warm: bool = False
    """Draws all list entries before the port opens, so that a measurement includes only the serving."""
    start: datetime | None = None
    """Simulated time at the start; the real time by default. The same seed and start give the same bytes."""
    time_scale: float = 1.0
    """Simulated seconds per real second."""
    limits: bool = True
    quota: Quota = Quota()
    retry_after: RetryAfter = "utc"
    busy: float = 0.0
    """Edits, inserts and deletes by users, per simulated minute."""
    others: float = 0.0
    """Calls that another integration makes with the same key, per simulated hour."""
    latency: float = 0.0
    """Real seconds that an answer takes."""
    order: Order = "created_desc"
    meta: Meta = "both"
    traps: bool = True
    """True serves the loose shapes of the live API, False one plain shape for everything."""
    files_elsewhere: bool = False
    """Whether download addresses lead to another origin, as those of object stores do."""
    keep_external_id: bool = True
    """Whether POST /payments keeps the externalId that it is given. A client must cope with both."""
    numeric_external_ids: bool = False
    """Whether a payment accepts only numbers as externalId. POST drops any other, PATCH refuses it."""
    over_payment_guard: bool = True
    """Whether a payment above what is owed is refused, as the live API does."""
    time_zone: float = 0.0
    """Hours ahead of UTC of the zone in which `modifiedSince` without an offset is read, -14 to 14."""
    rival: Rival = "none"
    """A person who pays the same amount, or the rest, at the moment when the next payment arrives."""
    token: str = "sandbox-key"  # noqa: S105 - printed openly; it opens nothing
    email: str = "buyer@sandbox.example"

    def rows(self, collection: str) -> int:
        """Returns the number of rows with which the company starts."""
        return self.counts.get(collection, SIZES[self.size].get(collection, 0))


@dataclass
class Tuning:
    """The options that may change while a sandbox runs. Their initial values are those of `SandboxOptions`."""

    latency: float
    busy: float
    others: float
    limits: bool
    order: Order
    meta: Meta
    retry_after: RetryAfter
    keep_external_id: bool
    numeric_external_ids: bool
    over_payment_guard: bool
    time_zone: float
    rival: Rival

    @classmethod
    def of(cls, options: SandboxOptions) -> "Tuning":
        return cls(**{each.name: getattr(options, each.name) for each in fields(cls)})

    def change(self, wishes: Mapping[str, object]) -> None:
        """Sets new values. Raises ValueError for an unknown name or a value of another kind."""
        for name, value in wishes.items():
            if name not in _ALLOWED:
                raise ValueError(f"{name} cannot be changed while the sandbox runs")
            allowed = _ALLOWED[name]
            good = value in allowed if isinstance(allowed, tuple) else _is(value, allowed)
            if not good:
                raise ValueError(f"{value!r} is no value for {name}")
            setattr(self, name, value)


def _is(value: object, kind: type | range) -> bool:
    if isinstance(kind, range):
        return isinstance(value, int | float) and kind[0] <= value <= kind[-1]
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return isinstance(value, kind)


_ALLOWED: Mapping[str, type | range | tuple[object, ...]] = {
    "time_zone": range(-14, 15), "latency": float, "busy": float, "others": float, "limits": bool,
    "keep_external_id": bool,
    "numeric_external_ids": bool, "over_payment_guard": bool, "rival": get_args(Rival),
    "order": get_args(Order), "meta": get_args(Meta), "retry_after": get_args(RetryAfter),
}  # fmt: skip
