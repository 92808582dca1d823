"""the configuration of one Odoo"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from precoro_daemon.payments.ports.ledger import Entry
from precoro_daemon.payments.rules.matching import MatchBy

Protocol = Literal["auto", "json-rpc", "json-2"]
BillName = Literal["id", "name", "ref", "payment_reference", "invoice_origin"]


@dataclass(frozen=True, slots=True)
class OdooOptions:
    """One database of Odoo, and which parts of it to use.

    user            the key's user, by number or by login
    journals        by currency, the number or the short code of the journal that pays in it
    payment_method  the code of the journal's payment method, "" for its first one
    company         the company whose bills are read, None for all that the user can see
    bill_name       the field of a bill that holds Precoro's name of the invoice
    match_by        which of Precoro's names that is
    overlap         seconds that a reading reaches back
    """

    name: str
    database: str
    user: str
    journals: Mapping[str, str]
    protocol: Protocol = "auto"
    payment_method: str = ""
    company: int | None = None
    bill_name: BillName = "id"
    match_by: MatchBy = "external_id"
    overlap: float = 600.0

    def name_of(self, entry: Entry) -> str:
        """Returns Odoo's name of this payment's bill, or "" if Precoro does not have it."""
        names = {
            "external_id": entry.invoice_external_id,
            "id": str(entry.invoice_id),
            "idn": entry.invoice_idn,
            "number_and_supplier": entry.invoice_number,
        }
        return names[self.match_by]
