"""[ledger.quickbooks]: a company in QuickBooks Online"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from precoro_daemon.settings.ledger_access import TokenLedger
from precoro_daemon.settings.values import Allowed, Origin


def _digits(value: object) -> object:
    return str(value) if type(value) is int else value


class QuickbooksLedger(TokenLedger):
    """A company in QuickBooks Online."""

    realm_id: Annotated[
        str, BeforeValidator(_digits), Field(pattern=r"^[0-9]{1,20}$"), Allowed("the company's id, digits only")
    ]
    """The company's id, which Intuit calls realm."""

    base_url: Origin = "https://quickbooks.api.intuit.com"
    """Scheme, host and port: the only address that gets the token. A sandbox company is at
    https://sandbox-quickbooks.api.intuit.com."""
