"""[ledger]: the accounting system whose payments are kept in step with Precoro's"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import model_validator

from precoro_daemon.settings.laziness import Lazy, later
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Clash, Label, Lower, one_of

if TYPE_CHECKING:
    from precoro_daemon.settings.ledger_business_central import BusinessCentralLedger
    from precoro_daemon.settings.ledger_csv import CsvLedger
    from precoro_daemon.settings.ledger_odoo import OdooLedger
    from precoro_daemon.settings.ledger_quickbooks import QuickbooksLedger
    from precoro_daemon.settings.ledger_rest import RestLedger
    from precoro_daemon.settings.ledger_sql import SqlLedger
    from precoro_daemon.settings.ledger_xero import XeroLedger
else:
    BusinessCentralLedger = later("ledger_business_central", "BusinessCentralLedger")
    CsvLedger = later("ledger_csv", "CsvLedger")
    OdooLedger = later("ledger_odoo", "OdooLedger")
    QuickbooksLedger = later("ledger_quickbooks", "QuickbooksLedger")
    RestLedger = later("ledger_rest", "RestLedger")
    SqlLedger = later("ledger_sql", "SqlLedger")
    XeroLedger = later("ledger_xero", "XeroLedger")

LEDGER_KINDS = ("none", "sql", "rest", "csv", "xero", "quickbooks", "odoo", "business_central")


class Ledger(Section):
    """The accounting system whose payments are kept in step with Precoro's."""

    kind: Annotated[
        Literal["none", "sql", "rest", "csv", "xero", "quickbooks", "odoo", "business_central"],
        Lower,
        one_of(LEDGER_KINDS),
    ] = "none"
    """The kind of ledger. Unless it is none, there must be a table with this name."""

    name: Label | None = None
    """Names the ledger in the journal of payments, permanently: under another name it is another ledger, for which no
    payment has been made yet. No default.
    """

    accept_review: Annotated[bool, one_of(("true", "false"))] = False
    """Must be true for a ledger that neither recognises a repeated payment nor can search for one. Each payment whose
    answer is lost then waits for a person.
    """

    sql: Lazy[SqlLedger] | None = None
    """See [ledger.sql]."""

    rest: Lazy[RestLedger] | None = None
    """See [ledger.rest]."""

    csv: Lazy[CsvLedger] | None = None
    """See [ledger.csv]."""

    xero: Lazy[XeroLedger] | None = None
    """See [ledger.xero]."""

    quickbooks: Lazy[QuickbooksLedger] | None = None
    """See [ledger.quickbooks]."""

    odoo: Lazy[OdooLedger] | None = None
    """See [ledger.odoo]."""

    business_central: Lazy[BusinessCentralLedger] | None = None
    """See [ledger.business_central]."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.kind == "none":
            return self
        if not self.name:
            raise Clash("missing; give a name of 1 to 100 characters", at="name")
        if getattr(self, self.kind) is None:
            raise Clash(f"missing; kind = {self.kind} needs it", at=self.kind, also="ledger.kind")
        create = self.rest.create if self.kind == "rest" and self.rest else None
        if create and create.repeat == "unsafe" and not (self.rest and self.rest.find) and not self.accept_review:
            raise Clash(
                "this ledger neither recognises a repeated payment (repeat) nor can search for one (find): a payment"
                " whose answer is lost waits for a person; allowed: true, if you accept that",
                at="accept_review",
                also="ledger.rest.create",
            )
        return self
