"""rows of the journal's tables ↔ values of the payments"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from typing import Any

from precoro_daemon.adapters.state.rows import cells
from precoro_daemon.adapters.state.session import Row
from precoro_daemon.payments.ports.journal import Line
from precoro_daemon.payments.rules.events import Answered, Asked, Assigned, Dialogue
from precoro_daemon.payments.rules.intents import Attempt, Intent
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
from precoro_daemon.payments.rules.obstacles import Obstacle, ObstacleKind
from precoro_daemon.payments.rules.sources import read_source, source_text
from precoro_daemon.payments.rules.states import AttemptOutcome, Direction, State
from precoro_daemon.values.money import plain, read_amount

_FLAGS = ("doubted", "marked", "reported", "seen")
_INTENT = tuple(field.name for field in fields(Intent))


def intent_cells(intent: Intent) -> dict[str, Any]:
    return cells(intent) | {
        "direction": str(intent.direction),
        "source": source_text(intent.source),
        "amount": plain(intent.amount),
        "day": intent.day.isoformat(),
        "state": str(intent.state),
        "obstacle": _obstacle_cell(intent.obstacle),
    }


def to_intent(row: Row) -> Intent:
    plainly = {name: row[name] for name in _INTENT} | {name: bool(row[name]) for name in _FLAGS}
    direction = Direction(row["direction"])
    read = {
        "direction": direction,
        "source": read_source(direction, row["source"]),
        "amount": _amount(row),
        "day": date.fromisoformat(row["day"]),
        "state": State(row["state"]),
        "obstacle": _obstacle(row["obstacle"]),
    }
    return Intent(**plainly | read)


def _obstacle_cell(obstacle: Obstacle | None) -> str | None:
    return None if obstacle is None else json.dumps([obstacle.kind, *obstacle.about])


def _obstacle(cell: str | None) -> Obstacle | None:
    if cell is None:
        return None
    kind, *about = json.loads(cell)
    return Obstacle(ObstacleKind(kind), tuple(about))


def attempt_cells(attempt: Attempt) -> dict[str, Any]:
    remainder = None if attempt.remainder is None else plain(attempt.remainder)
    return cells(attempt) | {
        "amount": plain(attempt.amount),
        "remainder": remainder,
        "known": json.dumps(list(attempt.known)),
    }


def to_attempt(row: Row) -> Attempt:
    read = {
        "amount": _amount(row),
        "known": tuple(json.loads(row["known"])),
        "remainder": read_amount(row["remainder"]),
        "outcome": None if row["outcome"] is None else AttemptOutcome(row["outcome"]),
    }
    return Attempt(**{**row} | read)


def to_line(row: Row) -> Line:
    return Line(**{**row} | {"facts": json.loads(row["facts"]), "dialogue": _dialogue(row["dialogue"])})


def dialogue_cell(dialogue: Dialogue | None) -> str | None:
    match dialogue:
        case Asked(about=about):
            return json.dumps(["asked", *sorted(about)])
        case Answered(other=other):
            return json.dumps(["answered", *sorted(other)])
        case Assigned():
            return json.dumps(["assigned"])
    return None


def _dialogue(cell: str | None) -> Dialogue | None:
    if cell is None:
        return None
    kind, *about = json.loads(cell)
    if kind == "asked":
        return Asked(frozenset(about))
    return Answered(frozenset(about)) if kind == "answered" else Assigned()


def ledger_payment_cells(payment: LedgerPayment) -> dict[str, Any]:
    return cells(payment) | {
        "amount": plain(payment.amount),
        "day": payment.paid_on.isoformat(),
        "takes_back": payment.amount <= 0,
        "facts": payment.facts,
    }


def to_ledger_payment(row: Row) -> LedgerPayment:
    columns = ("key", "invoice", "currency", "supplier", "ours", "supplier_id")
    day = date.fromisoformat(row["day"])
    return LedgerPayment(**{name: row[name] for name in columns}, amount=_amount(row), paid_on=day)


def _amount(row: Row) -> Any:
    amount = read_amount(row["amount"])
    assert amount is not None, "amounts were written by `plain`"
    return amount
