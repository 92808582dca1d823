"""this program's payments in Odoo, by their number or by its key"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from precoro_daemon.adapters.ledgers.odoo.bills import PAYMENT_FIELDS, Bills
from precoro_daemon.adapters.ledgers.odoo.calls import OdooCalls, Row
from precoro_daemon.adapters.ledgers.odoo.settlements import carries, money, part_of, title
from precoro_daemon.errors import MalformedAnswer, SeveralFound
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
from precoro_daemon.payments.rules.receipts import Receipt

_UNDONE = ("draft", "cancel", "canceled", "cancelled", "rejected")
_ON_NO_BILL = "none"


@dataclass(frozen=True, slots=True)
class Receipts:
    calls: OdooCalls
    bills: Bills

    async def of_payment(self, number: int) -> Receipt:
        """Returns the payment with this number, with the amount that settles its bill. Raises MalformedAnswer if Odoo
        does not show it.
        """
        found = await self._search([["id", "=", number]])
        if len(found) != 1:
            raise MalformedAnswer(f"payment {number} was made, and Odoo does not show it")
        return await self._receipt(found[0])

    async def under(self, key: str) -> Receipt | None:
        """Returns the payment with this key, or None. Compares nothing but the key, because an equal amount may
        belong to another payment. Raises SeveralFound.
        """
        dialect = await self.calls.dialect()
        found = await self._search([[dialect.memo, "like", key]])
        ours = [row for row in found if carries(row[dialect.memo], key)]
        if len(ours) > 1:
            numbers = ", ".join(str(row["id"]) for row in ours)
            raise SeveralFound(f"Odoo has {len(ours)} payments under the key {key}: {numbers}")
        return await self._receipt(ours[0]) if ours else None

    async def _search(self, domain: Sequence[object]) -> Sequence[Row]:
        dialect = await self.calls.dialect()
        fields = [*PAYMENT_FIELDS, dialect.memo, "reconciled_bill_ids"]
        return await self.calls.search("account.payment", domain, fields, order="id")

    async def _receipt(self, payment: Row) -> Receipt:
        part = part_of(payment["id"])
        bills = await self.bills.numbered(payment["reconciled_bill_ids"])
        settled = await self.bills.settled(bills) if bills else {}
        for bill in bills:
            for one in settled[bill["id"]]:
                row = self.bills.payment(bill, one) if one.part == part and one.amount else None
                if isinstance(row, LedgerPayment):
                    return Receipt(row.key, row.amount, row.currency, row.paid_on, row.invoice)
        amount = Decimal(0) if payment["state"] in _UNDONE else money(payment["amount"])
        owner = bills[0]["id"] if bills else _ON_NO_BILL
        currency, day = title(payment["currency_id"]), date.fromisoformat(payment["date"])
        return Receipt(f"{owner}/{part}", amount, currency, day, _ON_NO_BILL)
