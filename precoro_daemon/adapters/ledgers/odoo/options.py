"""what the configuration says of one Odoo"""

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
    """One database of Odoo, and what of it is ours to use.

    user            the key's user by number or by login
    journals        by currency, the number or the short code of the journal that pays in it
    payment_method  the code of the journal's payment method, "" for its first one
    company         whose bills are read, None for all that the user sees
    bill_name       the field of a bill that holds what Precoro calls the invoice
    match_by        which of Precoro's names for the invoice that is
    overlap         seconds a reading reaches back
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
        """What Odoo calls the bill of this payment, "" if Precoro does not say."""
        names = {
            "external_id": entry.invoice_external_id,
            "id": str(entry.invoice_id),
            "idn": entry.invoice_idn,
            "number_and_supplier": entry.invoice_number,
        }
        return names[self.match_by]
