"""what a token of Xero's may do, as it says itself"""

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
    """What it may do, for people. Raises PermanentError if that is too little.

    The old scopes hold for apps made before March 2026, those by kind of document for all others.
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
    """Of a JSON Web Token. Whether it is genuine is Xero's affair."""
    try:
        payload = token.split(".")[1]
        content: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        scopes = content["scope"]
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None
    return frozenset(scopes.split() if isinstance(scopes, str) else map(str, scopes))
