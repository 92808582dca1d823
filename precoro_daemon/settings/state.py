"""[state]: where the mirror is kept, in a file or in a schema of a PostgreSQL database"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, PrivateAttr, ValidationInfo, field_validator

from precoro_daemon.settings.ledger_values import DatabaseAddress, Password, database_address
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Clash, Label

_STORE_URL_FORMS = (
    "sqlite:///relative.db or sqlite:////absolute.db, a file; postgresql://user@host:port/database, a server "
    "(a socket's directory is a host with its slashes as %2F)"
)
_SQLITE, _POSTGRESQL = "sqlite:///", "postgresql://"


def read_store_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if separator and scheme not in ("sqlite", "postgresql"):
        raise Clash(f'"{scheme}" is not supported; allowed: {_STORE_URL_FORMS}')
    if scheme == "postgresql" and separator:
        database_address(value)
        return value
    if not rest.startswith("/") or rest.endswith("/") or set(rest) & set("?#:\0"):
        raise ValueError
    return value


StoreUrl = Annotated[str, AfterValidator(read_store_url), Allowed(_STORE_URL_FORMS)]
SchemaName = Annotated[
    str, Field(pattern="^[a-z_][a-z0-9_]{0,62}$"), Allowed("up to 63 small letters, digits and _, no digit first")
]


class State(Section):
    """Where the mirror is kept."""

    url: StoreUrl = "sqlite:///precoro.db"
    """sqlite:///relative.db (beside the configuration) or sqlite:////absolute.db: one file, nothing to set up. Or
    postgresql://user@host:port/database, PostgreSQL 16 or newer: the company has a schema of its own in it."""

    company: Label | None = None
    """Ties the store to the company by this name instead of by the e-mail, so that the API user may change. Set it
    before the first run: a store that knows the company by the e-mail is then another one."""

    schema_name: SchemaName | None = None
    """The schema in a PostgreSQL database. Without it: precoro_, the company's name as far as it is made of letters
    and digits, and eight signs that no other company has, so that many companies share one database."""

    password_file: Path | None = None
    """File that holds the password of the PostgreSQL user and nothing else, readable by nobody else."""

    password: Password | None = None
    """From the environment, else password_file, else a credential of systemd; never in the file."""

    ca_file: Path | None = None
    """Certificates that may vouch for the server, if the system's are not the right ones. A server on another machine
    must prove who it is."""

    _base: Path = PrivateAttr(default_factory=Path)
    _runtime: Path | None = PrivateAttr(default=None)

    @field_validator("schema_name", "password_file", "ca_file")
    @classmethod
    def _only_of_a_server(cls, given: object, info: ValidationInfo) -> object:
        if given is not None and not str(info.data.get("url", _POSTGRESQL)).startswith(_POSTGRESQL):
            raise Clash("is only of use with a PostgreSQL server", also="state.url")
        return given

    @property
    def server(self) -> DatabaseAddress | None:
        """None for a file."""
        return database_address(self.url) if self.url.startswith(_POSTGRESQL) else None

    @property
    def path(self) -> Path:
        """The file; on a server, what stands in the working directory instead is called so."""
        return Path("precoro") if self.server else self._base / self.url.removeprefix(_SQLITE)

    @property
    def directory(self) -> Path:
        """Of the file; for a state on a server, that of the configuration."""
        return self._base if self.server else self.path.parent

    @property
    def base(self) -> Path:
        """Where a relative path starts."""
        return self._base

    @property
    def runtime_directory(self) -> Path | None:
        """Where this process keeps what exists while it runs, if its service manager made it one."""
        return self._runtime

    def based(self, base: Path, runtime: str = "") -> Self:
        """The same whose relative path starts there. `runtime`: directories as systemd names them"""
        named = self.model_copy()
        named._base = base  # noqa: SLF001 - its own
        named._runtime = Path(runtime.partition(":")[0]) if runtime else None  # noqa: SLF001
        return named

    def started_elsewhere(self, working_directory: Path) -> Path | None:
        """Where the file is if its relative path starts at that directory; None if that is the same."""
        if self.server or (path := working_directory / self.url.removeprefix(_SQLITE)) == self.path:
            return None
        return path
