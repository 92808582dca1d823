"""how to call one version of Odoo, and the meaning of its errors"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from precoro_daemon.errors import (
    DaemonError,
    DoubtfulError,
    LedgerMisfit,
    LoginNeeded,
    PermanentError,
    TemporaryError,
)

_BEGAN = 18
"""The first version in which a payment has its own memo and may have no entry."""

_SPEAKS_JSON_2 = 19

_ROLLED_BACK = ("SerializationFailure", "DeadlockDetected", "LockNotAvailable", "TransactionRollback", "LockError")
"""The database rolled the transaction back, so nothing of it was written."""

_OF_THIS_RECORD = ("UserError", "ValidationError", "MissingError", "RedirectWarning")
_LOGIN_ENDED = ("SessionExpiredException", "SessionExpired")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version of Odoo and its protocol.

    version  its major number; 19 if only JSON-2 is available
    """

    version: int
    json_2: bool

    @property
    def memo(self) -> str:
        """The field of a payment that holds its communication."""
        return "memo" if self.version >= _BEGAN else "ref"

    @property
    def has_payments_without_entry(self) -> bool:
        return self.version >= _BEGAN

    def __str__(self) -> str:
        return f"Odoo {self.version} over {'JSON-2' if self.json_2 else 'JSON-RPC'}"


def dialect_of(answer: Any, protocol: str) -> Dialect:
    """Returns the dialect for the answer of `common.version`, None if that does not exist. Raises LedgerMisfit."""
    if answer is None:
        return Dialect(_SPEAKS_JSON_2, json_2=True)
    numbers = answer.get("server_version_info") if isinstance(answer, Mapping) else None
    match = re.search(r"\d+", str(numbers[0])) if isinstance(numbers, list) and numbers else None
    if match is None:
        raise LedgerMisfit("what answers there does not say which version of Odoo it is; check base_url")
    version = int(match[0])
    return Dialect(version, json_2=version >= _SPEAKS_JSON_2 if protocol == "auto" else protocol == "json-2")


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a model.

    given    the arguments, by the names of the parameters
    ids      the records that it is called on, None for a method of the model itself
    """

    model: str
    name: str
    given: Mapping[str, Any] = field(default_factory=dict)
    ids: Sequence[int] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.model}.{self.name}"

    @property
    def positional(self) -> Sequence[Any]:
        """The arguments for JSON-RPC: the records first. `create` chooses its answer's form by its first argument."""
        first = [] if self.ids is None else [list(self.ids)]
        return [*first, self.given["vals_list"]] if self.name == "create" else first

    @property
    def named(self) -> Mapping[str, Any]:
        values = {name: value for name, value in self.given.items() if self.name != "create"}
        return {**values, "context": dict(self.context)} if self.context else values

    @property
    def json_2(self) -> Mapping[str, Any]:
        ids = {} if self.ids is None else {"ids": list(self.ids)}
        return {**ids, **self.given, **({"context": dict(self.context)} if self.context else {})}


def refusal_of(error: Any) -> tuple[str, str]:
    """Returns the class of a JSON-RPC error and its message, but never its traceback."""
    tree = error if isinstance(error, Mapping) else {}
    data = tree.get("data")
    data = data if isinstance(data, Mapping) else {}
    said = data.get("message") or tree.get("message") or "it does not say why"
    return str(data.get("name", "")), str(said)


def meaning(name: str, said: str, *, of_one: bool, sent: bool) -> DaemonError:
    """Returns the exception for an error of Odoo. Odoo rolls back everything that a failed call wrote.

    of_one  the call concerns one payment, so a refusal concerns that payment alone
    sent    the call was the payment
    """
    kind = name.rpartition(".")[2]
    if kind == "AccessDenied":
        return LoginNeeded(f"{said}; check database and user, or make a new API key for the user")
    if kind == "AccessError":
        return LedgerMisfit(f"{said}; the key's user lacks rights in Odoo (Accounting: Billing, or more)")
    if kind in _LOGIN_ENDED or kind in _ROLLED_BACK:
        return TemporaryError(said)
    if name.startswith("psycopg2."):
        return _of_database(said, sent)
    if of_one:
        return PermanentError(said) if kind in _OF_THIS_RECORD else TemporaryError(f"{said} ({name})")
    return LedgerMisfit(f"{said} ({name}); is Odoo's app Invoicing installed, and is this version 16 to 19?")


def _of_database(said: str, sent: bool) -> DaemonError:
    """Returns the exception for a database error. If a connection breaks at the commit, the result is unknown."""
    if "does not exist" in said:
        return LedgerMisfit(f"{said}; check database")
    return DoubtfulError(f"{said}; the payment may have been recorded") if sent else TemporaryError(said)
