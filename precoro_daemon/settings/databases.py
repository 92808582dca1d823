"""how a database is reached: what the ledger, the wanted items and an export have in common"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from precoro_daemon.settings.ledger_values import DatabaseAddress, DatabaseUrl, Password, database_address
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Lower, Seconds, one_of


class Database(Section):
    """A database of another program."""

    url: DatabaseUrl
    """Its address: sqlite:////absolute.db, postgresql://user@host:port/database, mysql://user@host:port/database. To
    use a socket, give its directory (PostgreSQL) or path (MySQL) as the host, with slashes as %2F.
    """

    password_file: Path | None = None
    """File that holds only the password. It is refused if everyone can read it."""

    password: Password | None = None
    """The password: from the environment, else from password_file, else from a credential of systemd. Never in the
    configuration file.
    """

    tls: Annotated[Literal["auto", "verify", "off"], Lower, one_of(("auto", "verify", "off"))] = "auto"
    """verify: encrypted, and the server must prove its identity; off: neither; auto: verify, but not on this
    machine.
    """

    ca_file: Path | None = None
    """Certificates that are trusted for the server, if the system's are not the right ones."""

    timeout: Seconds = 15.0
    """Seconds that one statement may take, so that it cannot delay a stop."""

    @property
    def address(self) -> DatabaseAddress:
        return database_address(self.url)

    @property
    def verifies(self) -> bool:
        return self.tls == "verify" or (self.tls == "auto" and not self.address.is_local)
