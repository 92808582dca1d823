"""what the next lap would do, told without sending anything"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from precoro_daemon.payments.intake import Books
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.ports.ledger_payments import UnreadableRow
from precoro_daemon.payments.rules.caps import DAY, Caps, Spent, held_by
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.matching import Order, check
from precoro_daemon.payments.rules.transitions import Direction, State


@dataclass(frozen=True, slots=True)
class Forecast:
    """One intent and what is to become of it in the next lap.

    fate    send: it would be sent · held: it would not, for now · doubt: it is being looked for · review: a person
            decides
    amount  what would be sent: the remainder, if the books miss it by a cent
    """

    intent: Intent
    fate: Literal["send", "held", "doubt", "review"]
    amount: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """waiting: payments in the books that meet no invoice that can be paid"""

    forecasts: Sequence[Forecast]
    closed: str
    waiting: int
    unreadable: Sequence[UnreadableRow]


async def look_ahead(journal: Journal, books: Books, caps: Caps, stopped: Callable[[], Awaitable[str]]) -> Outlook:
    """By the mirror, so what Precoro says at the moment of sending may still hold a payment back."""
    switch = await journal.switch()
    closed = await stopped() or ("" if switch.armed else switch.reason)
    forecasts: list[Forecast] = []
    directions: tuple[Direction, ...] = ("to_precoro", "to_ledger")
    for direction in directions:
        forecasts += await _direction(journal, books, caps, direction)
    name = books.ledger.name
    return Outlook(forecasts, closed, await books.claims.waiting(name), await books.claims.unreadable(name))


async def _direction(journal: Journal, books: Books, caps: Caps, direction: Direction) -> list[Forecast]:
    now = books.clock.now()
    spent: dict[str, Decimal] = {}
    found: list[Forecast] = []
    for intent in await journal.in_state(direction, State.PLANNED):
        if intent.currency not in spent:
            spent[intent.currency] = sum(await journal.spent(direction, intent.currency, now - DAY), Decimal(0))
        sent = sum(one.fate == "send" for one in found)
        reason = held_by(caps, intent.amount, Spent(spent[intent.currency], sent))
        forecast = Forecast(intent, "held", intent.amount, reason) if reason else await _judge(books, intent, now)
        spent[intent.currency] += forecast.amount if forecast.fate == "send" else 0
        found.append(forecast)
    for intent in await journal.in_state(direction, State.SENDING, State.DOUBT, State.REVIEW):
        fate: Literal["doubt", "review"] = "review" if intent.state is State.REVIEW else "doubt"
        found.append(Forecast(intent, fate, intent.amount, intent.reason))
    return found


async def _judge(books: Books, intent: Intent, now: float) -> Forecast:
    assert intent.invoice_id is not None
    invoices = await books.claims.candidates(intent.invoice_id, "id")
    if not invoices:
        return Forecast(intent, "held", intent.amount, "the invoice is gone from Precoro")
    if intent.direction == "to_ledger":
        return Forecast(intent, "send", intent.amount, intent.reason)
    linked = await books.claims.linked(intent.ledger, intent.source)
    if linked is not None and linked.unreadable:
        return Forecast(
            intent, "held", intent.amount, f"its row in the books cannot be read now: {linked.unreadable}"
        )
    order = Order(intent.invoice_id, intent.amount, intent.currency, intent.day, intent.supplier, intent.names)
    # A list does not show payments: those are looked at when it is sent.
    verdict = check(order, replace(invoices[0], payments=()), frozenset(), _day(now))
    if verdict.kind == "send":
        return Forecast(intent, "send", verdict.amount, intent.reason)
    return Forecast(intent, "held", intent.amount, verdict.reason)


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()
