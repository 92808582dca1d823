"""the rights of a Xero token, by its own content"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Set as AbstractSet
from typing import Any

from precoro_daemon.errors import PermanentError

_PAYING = {"accounting.transactions", "accounting.payments"}
_READING = _PAYING | {"accounting.transactions.read", "accounting.payments.read"}
_BILLS = {
    "accounting.transactions",
    "accounting.transactions.read",
    "accounting.invoices",
    "accounting.invoices.read",
}
_ACCOUNTS = {"accounting.settings", "accounting.settings.read"}


def show_scopes(token: str, *, pays: bool) -> str:
    """Returns the token's rights in words, for people. Raises PermanentError if they are too few.

    The old scopes belong to apps that were created before March 2026, the scopes by kind of document to all others.
    """
    scopes = _scopes_in(token)
    if scopes is None:
        return "the token does not say what it may do"
    wanted = [("read payments", _READING), ("read bills", _BILLS)]
    if pays:
        wanted += [("record payments", _PAYING), ("read bank accounts", _ACCOUNTS)]
    lacking = [f"{what} (one of {', '.join(sorted(any_of))})" for what, any_of in wanted if not scopes & any_of]
    if lacking:
        raise PermanentError(f"the token may not {', nor '.join(lacking)}; log in again with these scopes")
    return f"the token may {', '.join(what for what, _ in wanted)}"


def _scopes_in(token: str) -> AbstractSet[str] | None:
    """Returns the scopes in a JSON Web Token, or None. Does not verify the token: Xero does that."""
    try:
        payload = token.split(".")[1]
        content: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        scopes = content["scope"]
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None
    return frozenset(scopes.split() if isinstance(scopes, str) else map(str, scopes))
