"""the token of a ledger behind HTTP, from where the configuration says"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pydantic import SecretStr

from precoro_daemon.adapters.grants.bearer import GrantBearer
from precoro_daemon.adapters.grants.grant_file import GrantFile
from precoro_daemon.adapters.http.bearer import Bearer, SuppliedBearer
from precoro_daemon.errors import TemporaryError
from precoro_daemon.settings.credentials import CredentialError, read_credential
from precoro_daemon.settings.ledger_access import TokenAccess


def bearer_of_login(kind: str, given: TokenAccess) -> Bearer:
    """Of a ledger that is logged in to, or whose token somebody else keeps fresh."""
    if given.grant_file:
        return GrantBearer(GrantFile(given.grant_file), kind)
    return bearer_of(given.token_file, given.token)


def bearer_of(token_file: Path | None, token: SecretStr | None) -> Bearer:
    if token_file:
        return SuppliedBearer(partial(_read_token, token_file))
    given = token.get_secret_value() if token else ""
    return SuppliedBearer(lambda: given)


def _read_token(path: Path) -> str:
    """Read for every call: a program that renews the token replaces the file."""
    try:
        return read_credential(path)
    except CredentialError as error:
        raise TemporaryError(f"the ledger's token_file {path}: {error}") from None
