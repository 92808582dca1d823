"""opens the databases that the configuration names"""

from __future__ import annotations

from precoro_daemon.adapters.databases.database import Address, Database, open_database
from precoro_daemon.settings.databases import Database as Named


def open_named(named: Named) -> Database:
    """Nothing is connected before it is used."""
    return open_database(named.address.dialect, address_of(named))


def address_of(named: Named) -> Address:
    """Where it is, and how it is reached."""
    where = named.address
    return Address(
        database=where.database,
        host=where.host,
        port=where.port,
        user=where.user,
        password=password_of(named),
        verify=named.verifies,
        ca_file=named.ca_file,
        timeout=named.timeout,
    )


def password_of(named: Named) -> str:
    return named.password.get_secret_value() if named.password else ""


def secrets_of(named: Named) -> tuple[str, ...]:
    """What no error may show."""
    return (password_of(named),) if named.password else ()
