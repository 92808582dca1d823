"""what the next lap would do, without sending anything"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.ledger_changes import changed_since
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.rules.caps import Caps
from precoro_daemon.payments.rules.history import terms_of
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.ledger_payments import UnreadableRow
from precoro_daemon.payments.rules.matching import PlannedPayment, check
from precoro_daemon.payments.rules.obstacles import ObstacleKind, obstacle
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.payments.spending import Spending
from precoro_daemon.payments.unmatched import Unmatched, list_unmatched

_UNKNOWN_TO_THE_MIRROR = frozenset({ObstacleKind.BILL_CLOSED, ObstacleKind.INVOICE_UNFIT})

_UNMATCHED_SHOWN = 1000
"""The most payments without an invoice that are shown."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """One intent, and what the next lap would do with it.

    fate    send: it would be sent
            held: it would not be sent for now
            doubt: its outcome is unknown and is being checked
            review: a person decides
            refused: the other side refused it
    amount  what would be sent: the remainder, if the ledger differs from it by a cent
    """

    intent: Intent
    fate: Literal["send", "held", "doubt", "review", "refused"]
    amount: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class LapForecast:
    """What the next lap would do with all intents.

    closed     why nothing is sent now, "" if sending is allowed
    waiting    number of payments in the ledger that no intent carries
    unmatched  the newest of them
    """

    forecasts: Sequence[Forecast]
    closed: str
    waiting: int
    unreadable: Sequence[UnreadableRow]
    unmatched: Sequence[Unmatched] = ()


async def forecast_lap(
    journal: Journal, access: LedgerAccess, caps: Caps, stopped: Callable[[], Awaitable[str]]
) -> LapForecast:
    """Returns the forecast from the mirror; Precoro's answer at the moment of sending may still hold a payment
    back.
    """
    switch = await journal.switch()
    closed = await stopped() or ("" if switch.armed else switch.reason)
    forecasts: list[Forecast] = []
    for direction in Direction:
        forecasts += await _direction(journal, access, Spending(journal, access.clock, direction, caps))
    forecasts += await _undone(access)
    forecasts += [Forecast(one, "refused", one.amount, one.reason) for one in await journal.refused()]
    payments = access.payments
    waiting, unreadable = await payments.waiting(access.name), await payments.unreadable(access.name)
    return LapForecast(
        forecasts, closed, waiting, unreadable, await list_unmatched(journal, access, _UNMATCHED_SHOWN)
    )


async def _undone(access: LedgerAccess) -> Sequence[Forecast]:
    """Returns payments that the ledger took back after they were sent. A person decides about each, but not before
    the other payment of its invoice is resolved.
    """
    changes = await access.payments.changed(access.name)
    return [
        Forecast(one.intent, "review", one.intent.amount, changed_since(one.intent, one.payment))
        for one in changes
        if one.intent.state is State.CONFIRMED and one.payment.amount <= 0
    ]


async def _direction(journal: Journal, access: LedgerAccess, spending: Spending) -> Sequence[Forecast]:
    found: list[Forecast] = []
    for intent in await journal.in_state(spending.direction, State.PLANNED):
        cap = await spending.obstacle(intent.currency, intent.amount)
        forecast = await _judge(access, intent) if cap is None else _held(intent, str(cap))
        if forecast.fate == "send":
            spending.sent += 1
            spending.add(intent.currency, forecast.amount)
        found.append(forecast)
    for intent in await journal.in_state(spending.direction, State.SENDING, State.DOUBT, State.REVIEW):
        fate: Literal["doubt", "review"] = "review" if intent.state is State.REVIEW else "doubt"
        found.append(Forecast(intent, fate, intent.amount, intent.reason))
    return found


async def _judge(access: LedgerAccess, intent: Intent) -> Forecast:
    assert intent.invoice_id is not None
    invoices = await access.payments.candidates(intent.invoice_id, "id")
    if not invoices:
        return _held(intent, "the invoice is gone from Precoro")
    if intent.obstacle is not None and intent.obstacle.kind in _UNKNOWN_TO_THE_MIRROR:
        return _held(intent, intent.reason)
    if intent.direction is Direction.TO_LEDGER:
        return Forecast(intent, "send", intent.amount, intent.reason)
    linked = await access.linked(intent)
    if linked is not None and linked.unreadable is not None:
        return _held(intent, str(obstacle(ObstacleKind.ROW_UNREADABLE, detail=linked.unreadable)))
    planned = PlannedPayment(intent.invoice_id, terms_of(intent), intent.names)
    # A list's row does not show payments: they are checked before sending.
    verdict = check(planned, replace(invoices[0], payments=()), frozenset(), _day(access.clock.now()))
    if verdict.kind == "send":
        return Forecast(intent, "send", verdict.amount, f"it fits what {invoices[0]} still owes")
    return _held(intent, verdict.reason)


def _held(intent: Intent, reason: str) -> Forecast:
    return Forecast(intent, "held", intent.amount, reason)


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()
