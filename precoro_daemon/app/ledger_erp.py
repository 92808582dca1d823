"""builds the odoo and the business_central ledger from their sections"""

from __future__ import annotations

from precoro_daemon.adapters.ledgers.business_central.ledger import BusinessCentralLedger, BusinessCentralOptions
from precoro_daemon.adapters.ledgers.odoo.ledger import OdooLedger
from precoro_daemon.adapters.ledgers.odoo.options import OdooOptions
from precoro_daemon.app.bearers import bearer_of, bearer_of_login
from precoro_daemon.errors import ConfigurationError
from precoro_daemon.payments.rules.matching import MatchBy
from precoro_daemon.settings import ledger_business_central as given_central
from precoro_daemon.settings import ledger_odoo as given_odoo


def build_odoo(name: str, given: given_odoo.OdooLedger, match_by: MatchBy) -> OdooLedger:
    options = OdooOptions(
        name=name,
        database=given.database,
        user=given.user,
        journals=given.journals,
        protocol=given.protocol,
        payment_method=given.payment_method,
        company=given.company,
        bill_name=given.bill_name,
        match_by=match_by,
        overlap=given.overlap,
    )
    return OdooLedger(given.base_url, options, bearer_of(given.token_file, given.token), given.timeout)


def build_business_central(
    name: str, given: given_central.BusinessCentralLedger, match_by: MatchBy
) -> BusinessCentralLedger:
    """Raises ConfigurationError."""
    if match_by != "external_id":
        raise ConfigurationError(
            'kind = "business_central" names invoices by their id there: match_by = "external_id"'
        )
    options = BusinessCentralOptions(
        name, given.tenant_id, given.environment, given.company, given.journal, given.bill_name, given.timeout
    )
    return BusinessCentralLedger(given.base_url, options, bearer_of_login("business_central", given))
