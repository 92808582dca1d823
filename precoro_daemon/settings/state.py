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
    """sqlite:///relative.db (beside the configuration) or sqlite:////absolute.db: one file, no setup. Or
    postgresql://user@host:port/database (PostgreSQL 16 or newer), in which the company has a schema of its own.
    """

    company: Label | None = None
    """Ties the store to the company by this name instead of by the e-mail, so that the API user may change. Set it
    before the first run: a store that knows the company by the e-mail would count as another company's.
    """

    schema_name: SchemaName | None = None
    """The schema in a PostgreSQL database. No default: without it, precoro_, the letters and digits of the company's
    name, and eight characters that are unique to the company, so that many companies can share one database.
    """

    password_file: Path | None = None
    """File that holds only the password of the PostgreSQL user. It is refused if everyone can read it."""

    password: Password | None = None
    """The password: from the environment, else from password_file, else from a credential of systemd. Never in the
    configuration file.
    """

    ca_file: Path | None = None
    """Certificates that are trusted for the server, if the system's are not the right ones. A server on another
    machine must prove its identity.
    """

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
        """The address of the server; None if the state is a file."""
        return database_address(self.url) if self.url.startswith(_POSTGRESQL) else None

    @property
    def path(self) -> Path:
        """The file. If the state is on a server: the base name of files that are in the working directory instead."""
        return Path("precoro") if self.server else self._base / self.url.removeprefix(_SQLITE)

    @property
    def directory(self) -> Path:
        """The directory of the file; if the state is on a server, that of the configuration."""
        return self._base if self.server else self.path.parent

    @property
    def base(self) -> Path:
        """The directory at which relative paths start."""
        return self._base

    @property
    def runtime_directory(self) -> Path | None:
        """The directory for files that exist only while this process runs, if its service manager made one."""
        return self._runtime

    def based(self, base: Path, runtime: str = "") -> Self:
        """Returns the same state with relative paths that start at `base`. `runtime` names directories as systemd
        does.
        """
        named = self.model_copy()
        named._base = base  # noqa: SLF001 - its own
        named._runtime = Path(runtime.partition(":")[0]) if runtime else None  # noqa: SLF001
        return named

    def started_elsewhere(self, working_directory: Path) -> Path | None:
        """Returns the file's path if its relative path started at that directory; None if it is the same, or on a
        server.
        """
        if self.server or (path := working_directory / self.url.removeprefix(_SQLITE)) == self.path:
            return None
        return path
