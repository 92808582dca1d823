"""[ledger.business_central]: a company of Business Central and its payment journal"""

from __future__ import annotations

from typing import Annotated, Literal

from precoro_daemon.settings.ledger_access import TokenAccess
from precoro_daemon.settings.ledger_values import PlainText
from precoro_daemon.settings.values import Lower, Origin, one_of


class BusinessCentralLedger(TokenAccess):
    """Business Central, by its standard API v2.0."""

    base_url: Origin = "https://api.businesscentral.dynamics.com"
    """Scheme, host and port: the only address that gets the token. Plain http is allowed only to this machine
    itself.
    """

    tenant_id: PlainText
    """The directory (tenant) in Entra."""

    environment: PlainText = "production"
    """The environment of Business Central."""

    company: PlainText
    """The company's id."""

    journal: PlainText
    """The code of the vendor payment journal. Its balancing account must be in the company's own currency."""

    bill_name: Annotated[Literal["id", "number"], Lower, one_of(("id", "number"))] = "id"
    """The part of a purchase invoice that Precoro's invoice has as externalId: its id, or its number."""
