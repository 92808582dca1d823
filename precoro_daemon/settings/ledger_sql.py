"""[ledger.sql]: an accounting database and what is asked of it"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import model_validator

from precoro_daemon.domain.entries import ENTRY_NAMES
from precoro_daemon.settings.ledger_values import (
    BooksAddress,
    BooksUrl,
    Password,
    Sql,
    books_address,
    check_statement,
)
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Clash, Lower, Seconds, one_of


class SqlLedger(Section):
    """An accounting database. At least one of read and insert."""

    url: BooksUrl
    """Where it is: sqlite:////absolute.db, postgresql://user@host:port/database, mysql://user@host:port/database. A
    socket's directory (PostgreSQL) or path (MySQL) is the host with its slashes as %2F."""

    password_file: Path | None = None
    """File that holds the password and nothing else, readable by nobody else."""

    password: Password | None = None
    """From the environment, else password_file, else systemd's credential ledger_password; never in the file."""

    tls: Annotated[Literal["auto", "verify", "off"], Lower, one_of(("auto", "verify", "off"))] = "auto"
    """verify: encrypted, and the server must prove who it is; off: neither; auto: verify, but not on this machine."""

    ca_file: Path | None = None
    """Certificates that may vouch for the server, if the system's are not the right ones."""

    timeout: Seconds = 15.0
    """Seconds one statement may take, so that a stop is not held up by it."""

    read: Sql | None = None
    """The payments after :position, oldest first."""

    start: Annotated[str, Allowed("a text")] = "0"
    """The position before the first payment."""

    insert: Sql | None = None
    """Records one payment."""

    find: Sql | None = None
    """The id of the payment that was recorded under :key."""

    ours_prefix: Annotated[str, Allowed("a text")] = ""
    """What stands before the key in the column `ours`, where other texts may stand too."""

    @property
    def address(self) -> BooksAddress:
        return books_address(self.url)

    @property
    def verifies(self) -> bool:
        return self.tls == "verify" or (self.tls == "auto" and not self.address.is_local)

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
