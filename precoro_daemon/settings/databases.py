"""how a database is reached: what the ledger and a table of wanted items have in common"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from precoro_daemon.settings.ledger_values import DatabaseAddress, DatabaseUrl, Password, database_address
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Lower, Seconds, one_of


class Database(Section):
    """A database of somebody else."""

    url: DatabaseUrl
    """Where it is: sqlite:////absolute.db, postgresql://user@host:port/database, mysql://user@host:port/database. A
    socket's directory (PostgreSQL) or path (MySQL) is the host with its slashes as %2F."""

    password_file: Path | None = None
    """File that holds the password and nothing else, readable by nobody else."""

    password: Password | None = None
    """From the environment, else password_file, else a credential of systemd; never in the file."""

    tls: Annotated[Literal["auto", "verify", "off"], Lower, one_of(("auto", "verify", "off"))] = "auto"
    """verify: encrypted, and the server must prove who it is; off: neither; auto: verify, but not on this machine."""

    ca_file: Path | None = None
    """Certificates that may vouch for the server, if the system's are not the right ones."""

    timeout: Seconds = 15.0
    """Seconds one statement may take, so that a stop is not held up by it."""

    @property
    def address(self) -> DatabaseAddress:
        return database_address(self.url)

    @property
    def verifies(self) -> bool:
        return self.tls == "verify" or (self.tls == "auto" and not self.address.is_local)
