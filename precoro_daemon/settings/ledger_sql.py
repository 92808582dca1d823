"""[ledger.sql]: an accounting database, and the statements for it"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from precoro_daemon.payments.rules.entries import ENTRY_NAMES
from precoro_daemon.settings.databases import Database
from precoro_daemon.settings.ledger_values import Sql, check_statement
from precoro_daemon.settings.values import Allowed, Clash, Seconds


class SqlLedger(Database):
    """An accounting database. At least one of read and insert must be given."""

    read: Sql | None = None
    """A query for the payments after :position, oldest first."""

    start: Annotated[str, Allowed("a text")] = "0"
    """The position before the first payment."""

    overlap: Annotated[Seconds, Field(ge=0)] = 600.0
    """How far each read goes back, for transactions that were committed late. If positions are times, it is a
    duration; if they are whole numbers, it is a number of positions, equal to the seconds.
    """

    insert: Sql | None = None
    """A statement that records one payment."""

    find: Sql | None = None
    """A query for the id of the payment recorded under :key. Its amount, currency and day may follow the id; they are
    compared with those sent.
    """

    ours_prefix: Annotated[str, Allowed("a text")] = ""
    """The text before the key in the column `ours`, which may hold other texts too."""

    @model_validator(mode="after")
    def _statements_fit(self) -> Self:
        dialect = self.address.dialect
        if self.read is None and self.insert is None:
            raise Clash("missing; give read, insert or both", at="read")
        if self.insert and not self.find:
            raise Clash("missing; insert needs it, to see whether a payment is there already", at="find")
        for name, needs in (("read", "position"), ("insert", "key"), ("find", "key")):
            statement = getattr(self, name)
            if statement:
                allowed = ENTRY_NAMES if name == "insert" else (needs,)
                try:
                    check_statement(statement, dialect, allowed, needs=needs)
                except Clash as clash:
                    raise Clash(str(clash), at=name) from None
        return self
