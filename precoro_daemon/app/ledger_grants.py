"""the grant of the configured ledger: where it is, and how it stands"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from precoro_daemon.errors import LedgerMisfit
from precoro_daemon.settings import Settings
from precoro_daemon.status.grants import GrantStatus

if TYPE_CHECKING:
    from precoro_daemon.adapters.grants.grant import Grant

GRANTED = ("xero", "quickbooks", "business_central")
"""Kinds of ledgers that give grants."""


def default_grant_file(config: Path, kind: str) -> Path:
    """Of the grant, or of Odoo's key. Beside the configuration: never in the state, whose backups would bring back a
    token that was used."""
    what = "key" if kind == "odoo" else "grant.json"
    return config.resolve().parent / f"{kind.replace('_', '-')}-{what}"


def read_grant(path: Path) -> Grant | None:
    """Blocking. Raises LedgerMisfit for a file that is not read."""
    from precoro_daemon.adapters.grants.grant_file import GrantFile

    return GrantFile(path).read()


def see_grant(settings: Settings) -> GrantStatus | None:
    """How the grant of the configured ledger stands; None where it needs none. Blocking."""
    path = grant_file_of(settings)
    return None if path is None else status_of(path, settings.ledger.kind)


def grant_file_of(settings: Settings) -> Path | None:
    section = getattr(settings.ledger, settings.ledger.kind, None)
    path: Path | None = getattr(section, "grant_file", None)
    return path


def status_of(path: Path, kind: str) -> GrantStatus:
    """Blocking."""
    try:
        grant = read_grant(path)
    except LedgerMisfit as error:
        return GrantStatus(kind, lost=str(error))
    if grant is None:
        return GrantStatus(kind, lost=f"there is no grant {path} yet")
    return GrantStatus(
        kind,
        whose=grant.whose,
        since=grant.logged_in_at,
        refreshed_at=grant.refreshed_at,
        token_until=grant.expires_at if grant.access_token else None,
        ends_at=grant.ends_at,
        lost=grant.lost,
        trouble=grant.trouble,
    )


def known_client(path: Path) -> tuple[str, str]:
    """The client of the grant that is there, for a login anew: its id and secret, "" where nothing is known."""
    try:
        grant = read_grant(path)
    except LedgerMisfit:
        return "", ""
    return (grant.client_id, grant.client_secret) if grant else ("", "")
