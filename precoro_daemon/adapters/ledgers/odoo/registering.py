"""one payment, made with Odoo's own wizard and compared before it is posted"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from precoro_daemon.adapters.ledgers.odoo.bills import Bills
from precoro_daemon.adapters.ledgers.odoo.calls import OdooCalls, Row
from precoro_daemon.adapters.ledgers.odoo.dialects import Method
from precoro_daemon.adapters.ledgers.odoo.options import OdooOptions
from precoro_daemon.adapters.ledgers.odoo.receipts import Receipts
from precoro_daemon.adapters.ledgers.odoo.rights import Journals
from precoro_daemon.adapters.ledgers.odoo.settlements import communication, linked, money, title
from precoro_daemon.errors import DaemonError, DoubtfulError, MalformedAnswer, PermanentError
from precoro_daemon.payments.ports.ledger import Entry
from precoro_daemon.payments.rules.receipts import Receipt
from precoro_daemon.values.money import plain
from precoro_daemon.writes.permit import Permit

_WIZARD = "account.payment.register"


@dataclass(frozen=True, slots=True)
class Registering:
    """Makes payments with account.payment.register, which posts the payment and reconciles it with the bill in one
    transaction. A wizard that is created but not executed is a temporary record, which Odoo deletes later.
    """

    calls: OdooCalls
    options: OdooOptions
    bills: Bills
    journals: Journals
    receipts: Receipts

    async def create(self, entry: Entry, permit: Permit) -> Receipt:
        """Makes the payment. Raises what `Ledger.create` raises."""
        bill = await self._payable(entry)
        journal = await self.journals.paying_in(entry.currency)
        values = self._values(entry, bill, journal)
        if self.options.payment_method:
            values["payment_method_line_id"] = await self.journals.method_of(journal)
        wizard = await self._wizard(bill, values)
        await self._compare(wizard, values)
        method = Method(_WIZARD, "action_create_payments", ids=[wizard], context=self.calls.on_bill(bill["id"]))
        made = await self.calls.send_payment(method, permit)
        number = made.get("res_id") if isinstance(made, dict) else None
        if not isinstance(number, int) or number is False:
            raise DoubtfulError(f"{self._said}: the payment was taken, and Odoo does not say under which number")
        try:
            return await self.receipts.of_payment(number)
        except DaemonError as error:
            raise DoubtfulError(f"{self._said}: payment {number} was made, and could not be read: {error}") from None

    @property
    def _said(self) -> str:
        return f"ledger {self.options.name}"

    async def _payable(self, entry: Entry) -> Row:
        bill = await self.bills.of(entry)
        if closed := self.bills.standing(bill, ()).closed:
            raise PermanentError(f"{self._said}: bill {bill['name']}: {closed}")
        if title(bill["currency_id"]) != entry.currency:
            differs = f"is in {title(bill['currency_id'])}, the payment in {entry.currency}"
            raise PermanentError(f"{self._said}: bill {bill['name']} {differs}")
        if entry.amount <= 0:
            raise PermanentError(f"{self._said}: {plain(entry.amount)} is nothing that can be paid")
        return bill

    def _values(self, entry: Entry, bill: Row, journal: int) -> dict[str, Any]:
        """Returns the wizard's values. Without group_payment, a bill due in instalments would be paid line by line,
        whatever the amount.
        """
        return {
            "amount": entry.amount,
            "currency_id": linked(bill["currency_id"]),
            "payment_date": entry.paid_on.isoformat(),
            "journal_id": journal,
            "communication": communication(entry.invoice_number, entry.key),
            "group_payment": True,
            "payment_difference_handling": "open",
        }

    async def _wizard(self, bill: Row, values: dict[str, Any]) -> int:
        method = Method(_WIZARD, "create", {"vals_list": values}, context=self.calls.on_bill(bill["id"]))
        made = await self.calls.ask(method, of_one=True)
        match made:
            case int(number) | [int(number)]:
                return number
        raise MalformedAnswer(f"{self._said}: Odoo answers {made!r} where the number of a wizard is wanted")

    async def _compare(self, wizard: int, values: dict[str, Any]) -> None:
        """Compares what Odoo would post with the intended values. Raises PermanentError, MalformedAnswer."""
        fields = [*values, "can_edit_wizard"]
        method = Method(_WIZARD, "read", {"fields": fields}, ids=[wizard])
        found = await self.calls.ask(method, of_one=True)
        if not isinstance(found, list) or len(found) != 1:
            raise MalformedAnswer(f"{self._said}: Odoo does not show the wizard that it made")
        if differs := ", ".join(_differences(found[0], {**values, "can_edit_wizard": True})):
            raise PermanentError(f"{self._said}: Odoo would not post what was sent: {differs}")


def _differences(made: Row, meant: Row) -> Iterator[str]:
    for name, value in meant.items():
        said, wanted = _comparable(name, made[name]), _comparable(name, value)
        if said != wanted:
            yield f"{name} {said} instead of {wanted}"


def _comparable(name: str, value: Any) -> Any:
    if name == "amount":
        return plain(money(value))
    return linked(value) if isinstance(value, list) else value
