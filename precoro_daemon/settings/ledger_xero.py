"""[ledger.xero]: an organisation in Xero"""

from __future__ import annotations

from precoro_daemon.settings.ledger_access import TokenLedger
from precoro_daemon.settings.ledger_values import PlainText
from precoro_daemon.settings.values import Origin


class XeroLedger(TokenLedger):
    """An organisation in Xero."""

    tenant_id: PlainText
    """The organisation's id, which Xero calls tenant."""

    base_url: Origin = "https://api.xero.com"
    """Scheme, host and port: the only address that gets the token. Change it only for a proxy or a rehearsal."""
