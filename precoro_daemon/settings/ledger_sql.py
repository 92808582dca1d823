"""[ledger.sql]: an accounting database and what is asked of it"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from precoro_daemon.payments.rules.entries import ENTRY_NAMES
from precoro_daemon.settings.databases import Database
from precoro_daemon.settings.ledger_values import Sql, check_statement
from precoro_daemon.settings.values import Allowed, Clash, Seconds


class SqlLedger(Database):
    """An accounting database. At least one of read and insert."""

    read: Sql | None = None
    """The payments after :position, oldest first."""

    start: Annotated[str, Allowed("a text")] = "0"
    """The position before the first payment."""

    overlap: Annotated[Seconds, Field(ge=0)] = 600.0
    """How far each reading reaches back, for transactions that were committed late: a duration where positions are
    times; where they are whole numbers, as many of them as it has seconds."""

    insert: Sql | None = None
    """Records one payment."""

    find: Sql | None = None
    """The id of the payment that was recorded under :key, and perhaps its amount, currency and day after it: they
    are compared with what was sent."""

    ours_prefix: Annotated[str, Allowed("a text")] = ""
    """What stands before the key in the column `ours`, where other texts may stand too."""

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
