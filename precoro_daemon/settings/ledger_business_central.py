"""[ledger.business_central]: a company of Business Central and its payment journal"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from precoro_daemon.settings.ledger_values import PlainText
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Lower, Origin, Seconds, Token, one_of


class BusinessCentralLedger(Section):
    """Business Central, by its standard API v2.0."""

    base_url: Origin = "https://api.businesscentral.dynamics.com"
    """Scheme, host and port: the only address that gets the token. Plain http only to this machine itself."""

    tenant_id: PlainText
    """The directory (tenant) in Entra."""

    environment: PlainText = "production"
    """The environment of Business Central."""

    company: PlainText
    """The company's id."""

    journal: PlainText
    """The code of the vendor payment journal. It must balance on an account in the company's own currency."""

    bill_name: Annotated[Literal["id", "number"], Lower, one_of(("id", "number"))] = "id"
    """What of a purchase invoice is the invoice's externalId in Precoro: its id, or its number."""

    token_file: Path | None = None
    """File with the access token and nothing else, readable by nobody else. Read again before every call, so that
    another program can renew it."""

    token: Token
    """From the environment, else token_file, else systemd's credential ledger_token; never in the file."""

    timeout: Seconds = 30.0
    """Seconds one call may take in all. Business Central answers the first call of the morning slowly."""
