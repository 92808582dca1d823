"""tells one way to read the ledger from another, by the settings that say how"""

from __future__ import annotations

import json
from hashlib import blake2b

from precoro_daemon.settings import Settings

_NOT_OF_READING = {
    "insert", "find", "create", "prepare", "accept_review", "out_directory", "out_done", "out_columns",
    "accounts", "journal", "journals", "payment_method", "protocol", "overlap", "user",
    "timeout", "token", "token_file", "password", "password_file", "grant_file", "ca_file", "tls", "pool",
}  # fmt: skip
"""Settings that say nothing of what a payment of the ledger looks like: to change them reads nothing again."""

_READING_VERSION = 1
"""Raised when a later version reads more of the same rows than this one: then everything unreadable is read again."""


def reading_of(settings: Settings) -> str:
    """A fingerprint of everything by which the ledger is read; "" without a ledger. Secrets are no part of it."""
    given = getattr(settings.ledger, settings.ledger.kind, None)
    if given is None:
        return ""
    said = given.model_dump(mode="json", exclude=_NOT_OF_READING, fallback=str)
    text = json.dumps([_READING_VERSION, said, settings.mark_invoices_paid.currency], sort_keys=True)
    return blake2b(text.encode(), digest_size=12).hexdigest()
