"""One database of Odoo in memory, with what Odoo makes of bills, payments, bank lines and their reconciliation.

After https://github.com/odoo/odoo/tree/18.0/addons/account: what is open and the state of payment are stored on the
bill, and its write_date moves with them; a payment's moves when the payment itself is changed, and not before.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

Record = dict[str, Any]
CENT = Decimal("0.01")
CURRENCIES = {1: "EUR", 2: "USD", 3: "EURO"}
EUROS = {1: Decimal(1), 2: Decimal("0.8"), 3: Decimal(1)}
"""What one unit is worth."""


class Refusal(Exception):
    """An error of Odoo: everything is rolled back."""

    def __init__(self, name: str, said: str) -> None:
        super().__init__(said)
        self.name = name


def user_error(said: str) -> Refusal:
    return Refusal("odoo.exceptions.UserError", said)


@dataclass
class OdooDatabase:
    """Numbers of currencies, companies and journals are given; all else is counted from 1 on.

    has_entries  whether the journals have an outstanding account; from 18 on a payment has no entry without one
    """

    version: int = 18
    has_entries: bool = True
    moves: dict[int, Record] = field(default_factory=dict)
    lines: dict[int, Record] = field(default_factory=dict)
    partials: dict[int, Record] = field(default_factory=dict)
    payments: dict[int, Record] = field(default_factory=dict)
    wizards: dict[int, Record] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._count = itertools.count(1)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.companies = {
            1: {"id": 1, "name": "Our Company", "currency_id": 1},
            2: {"id": 2, "name": "Other Company", "currency_id": 2},
        }
        self.journals = {
            7: self._journal(7, "BNK1", None, 1),
            9: self._journal(9, "BNKUS", 2, 1),
            11: self._journal(11, "MISC", None, 1) | {"type": "general"},
            13: self._journal(13, "BNK2", None, 2),
        }

        self.methods = {
            1: {"code": "manual", "payment_type": "outbound"},
            2: {"code": "sepa_ct", "payment_type": "outbound"},
        }
        self.method_lines = {
            number: {"id": number, "name": "Method", "journal_id": journal, "payment_method_id": method}
            for number, journal, method in ((1, 7, 1), (2, 9, 1), (3, 7, 2))
        }

    @staticmethod
    def _journal(number: int, code: str, currency: int | None, company: int) -> Record:
        name = f"Bank {code}"
        return {"id": number, "code": code, "name": name, "type": "bank", "currency_id": currency,
                "company_id": company}  # fmt: skip

    def tick(self, seconds: float = 600.0) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    def bill(
        self,
        total: Decimal | str,
        currency: str = "EUR",
        *,
        number: int | None = None,
        state: str = "posted",
        instalments: int = 1,
        move_type: str = "in_invoice",
        company: int = 1,
        ref: str = "",
    ) -> int:
        """A vendor bill; each instalment is a line of its own that can be paid."""
        number = next(self._count) if number is None else number
        amount = Decimal(total)
        self.moves[number] = {
            "id": number, "name": f"BILL/2026/{number:05}", "ref": ref, "state": state, "move_type": move_type,
            "currency_id": {name: one for one, name in CURRENCIES.items()}[currency], "partner_id": 9,
            "commercial_partner_id": 9,
            "company_id": company, "payment_reference": "", "invoice_origin": "", "matched_payment_ids": [],
            "statement_line_id": None, "payment_id": None, "date": "2026-01-01", "residual": None,
            "payment_state": "",
        }  # fmt: skip
        share = (amount / instalments).quantize(CENT)
        for index in range(instalments):
            self._line(number, share if index else amount - share * (instalments - 1), "payable")
        self._recompute(number)
        return number

    def _line(self, move: int, amount: Decimal, account: str) -> int:
        number = next(self._count)
        self.lines[number] = {"id": number, "move_id": move, "amount": amount, "account": account, "name": ""}
        return number

    def open_lines(self, bill: int) -> Iterator[tuple[int, Decimal]]:
        for line in self.lines.values():
            if line["move_id"] == bill and line["account"] == "payable":
                left = line["amount"] - sum(
                    (one["credit_amount_currency"] for one in self.partials.values()
                     if one["credit_move_id"] == line["id"]), Decimal(0))  # fmt: skip
                if left:
                    yield line["id"], left

    def residual(self, bill: int) -> Decimal:
        return sum((left for _, left in self.open_lines(bill)), Decimal(0))

    def _recompute(self, bill: int) -> None:
        """Stored on the bill; where nothing of it changes, nothing is written."""
        move = self.moves[bill]
        left, before = self.residual(bill), (move["residual"], move["payment_state"])
        waiting = [self.payments[one] for one in move["matched_payment_ids"] if not self.payments[one]["move_id"]]
        if any(one["state"] == "in_process" for one in waiting):
            state = "in_payment"
        else:
            whole = sum(
                (
                    one["amount"]
                    for one in self.lines.values()
                    if one["move_id"] == bill and one["account"] == "payable"
                ),
                Decimal(0),
            )
            state = "paid" if not left else "partial" if left < whole else "not_paid"
        if before != (left, state):
            move |= {"residual": left, "payment_state": state, "write_date": self.tick()}

    def reconcile(self, entry_line: int, bill: int, amount: Decimal) -> Decimal:
        """What of that amount, in the bill's currency, the bill's lines take; what is left over."""
        for line, left in list(self.open_lines(bill)):
            taken = min(left, amount)
            if taken > 0:
                number = next(self._count)
                self.partials[number] = {"id": number, "debit_move_id": entry_line, "credit_move_id": line,
                                         "credit_amount_currency": taken}  # fmt: skip
                amount -= taken
        return amount

    def entry(self, *, memo: str = "", day: str = "2026-01-31", journal: int = 7, kind: str = "entry") -> int:
        number = next(self._count)
        self.moves[number] = {
            "id": number, "name": f"ENTRY/{number}", "ref": memo, "state": "posted", "move_type": kind, "date": day,
            "currency_id": 1, "company_id": self.journals[journal]["company_id"], "statement_line_id": None,
            "payment_id": None, "write_date": self.tick(),
        }  # fmt: skip
        return number

    def settle(self, bill: int, amount: Decimal | str, **more: Any) -> int:
        """Another entry is reconciled with the bill: a credit note, a miscellaneous entry, a rate difference."""
        move = self.entry(**more)
        line = self._line(move, Decimal(amount), "other")
        self.reconcile(line, bill, Decimal(amount))
        self._recompute(bill)
        return move

    def bank_line(self, bill: int, amount: Decimal | str, day: str = "2026-01-31", memo: str = "TRANSFER") -> int:
        """A line of a bank statement is reconciled with the bill. Its payments without an entry are then paid."""
        move = self.entry(memo=memo, day=day)
        self.moves[move]["statement_line_id"] = next(self._count)
        line = self._line(move, Decimal(amount), "other")
        self.reconcile(line, bill, Decimal(amount))
        for number in self.moves[bill]["matched_payment_ids"]:
            if not self.payments[number]["move_id"] and not self.residual(bill):
                self.payments[number]["state"] = "paid"
        self._recompute(bill)
        return move

    def pay(
        self,
        bills: int | Sequence[int],
        amount: Decimal | str,
        *,
        currency: str | None = None,
        journal: int = 7,
        day: date | str = "2026-01-31",
        memo: str = "",
    ) -> int:
        """A payment is posted and reconciled with these bills, in their order."""
        paid = [bills] if isinstance(bills, int) else list(bills)
        number, amount = next(self._count), Decimal(amount).quantize(CENT)
        bill_currency = self.moves[paid[0]]["currency_id"]
        wanted = {name: one for one, name in CURRENCIES.items()}.get(currency or "", bill_currency)
        self.payments[number] = {
            "id": number, "amount": amount, "currency_id": wanted, "date": str(day), "memo": memo,
            "state": "in_process", "move_id": None, "journal_id": journal, "invoice_ids": paid,
            "write_date": self.tick(),
        }  # fmt: skip
        if self.has_entries or self.version < 18:
            self._post(number)
        for bill in paid:
            self.moves[bill]["matched_payment_ids"].append(number)
            self._recompute(bill)
        return number

    def _post(self, number: int) -> None:
        payment = self.payments[number]
        move = self.entry(memo=payment["memo"], day=payment["date"], journal=payment["journal_id"])
        self.moves[move]["payment_id"] = number
        payment |= {"move_id": move, "state": "paid" if self.version >= 18 else "posted"}
        line = self._line(move, payment["amount"], "other")
        left = payment["amount"] * EUROS[payment["currency_id"]] / EUROS[self._currency(payment)]
        for bill in payment["invoice_ids"]:
            left = self.reconcile(line, bill, left.quantize(CENT))

    def _currency(self, payment: Record) -> int:
        currency: int = self.moves[payment["invoice_ids"][0]]["currency_id"]
        return currency

    def edit_payment(self, number: int, amount: Decimal) -> None:
        """Set back to draft, changed, confirmed and reconciled again: its number stays, its partials are others."""
        payment = self.payments[number]
        self.cancel_payment(number)
        payment |= {
            "amount": amount.quantize(CENT),
            "state": "in_process",
            "move_id": None,
            "write_date": self.tick(),
        }
        self._post(number)
        for bill in payment["invoice_ids"]:
            self._recompute(bill)

    def cancel_payment(self, number: int) -> None:
        payment = self.payments[number]
        payment |= {"state": "canceled" if self.version >= 18 else "cancel", "write_date": self.tick()}
        if payment["move_id"]:
            self._take_apart([line["id"] for line in self.lines.values() if line["move_id"] == payment["move_id"]])
        for bill in payment["invoice_ids"]:
            self._recompute(bill)

    def unreconcile(self, bill: int) -> None:
        """The button on the bill: the payment stays as it is, and still names the bill."""
        self._take_apart([line["id"] for line in self.lines.values() if line["move_id"] == bill])

    def set_to_draft(self, bill: int, state: str = "draft") -> None:
        self.unreconcile(bill)
        self.moves[bill] |= {"state": state, "write_date": self.tick()}

    def _take_apart(self, lines: Sequence[int]) -> None:
        gone = [one for one in self.partials.values()
                if one["debit_move_id"] in lines or one["credit_move_id"] in lines]  # fmt: skip
        bills = {self.lines[one["credit_move_id"]]["move_id"] for one in gone}
        for one in gone:
            del self.partials[one["id"]]
        for bill in bills:
            self._recompute(bill)

    def make_wizard(self, bills: Sequence[int], given: Record) -> int:
        """account.payment.register: each value that is given is kept, the others follow from the journal and bill."""
        [bill] = [self.moves[one] for one in bills]
        if bill["state"] != "posted":
            raise user_error("You can only register payments for posted journal entries.")
        left = self.residual(bill["id"])
        if not left:
            raise user_error(
                "You can't register a payment because there is nothing left to pay on the selected journal items."
            )
        journal = self.journals[given.get("journal_id", 7)]
        company_currency = self.companies[journal["company_id"]]["currency_id"]
        number = next(self._count)
        self.wizards[number] = {
            "id": number, "journal_id": journal["id"], "amount": left, "payment_date": "2026-02-02",
            "currency_id": journal["currency_id"] or bill["currency_id"] or company_currency,
            "communication": bill["name"], "group_payment": True, "payment_difference_handling": "open",
            "payment_method_line_id": 1, "can_edit_wizard": True, "bill": bill["id"], "given": set(given),
        } | given  # fmt: skip
        self.wizards[number]["amount"] = Decimal(self.wizards[number]["amount"]).quantize(CENT)
        return number

    def carry_out(self, number: int) -> Sequence[int]:
        """Without group_payment, each open line is paid whole, whatever the amount."""
        wizard = self.wizards[number]
        bill, journal = self.moves[wizard["bill"]], self.journals[wizard["journal_id"]]
        if journal["company_id"] != bill["company_id"]:
            raise user_error("Uh-oh! You've got some company inconsistencies here")
        if wizard["amount"] <= 0:
            raise Refusal("odoo.exceptions.ValidationError", "The payment amount cannot be negative.")
        left = list(self.open_lines(bill["id"]))
        amounts = [wizard["amount"]] if wizard["group_payment"] or len(left) == 1 else [one for _, one in left]
        currency = CURRENCIES[wizard["currency_id"]]
        return [
            self.pay(bill["id"], amount, currency=currency, journal=journal["id"], day=wizard["payment_date"],
                     memo=wizard["communication"]) for amount in amounts
        ]  # fmt: skip
