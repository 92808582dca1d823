"""rows of the journal's tables ↔ the domain's values"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, fields
from datetime import date
from typing import Any

from precoro_daemon.payments.ports.journal import Line
from precoro_daemon.payments.rules.intents import Attempt, Intent
from precoro_daemon.payments.rules.matching import LedgerPayment
from precoro_daemon.payments.rules.transitions import State
from precoro_daemon.values.money import plain, read_amount

_FLAGS = ("doubted", "marked", "told", "seen")
_INTENT = tuple(field.name for field in fields(Intent))


def intent_cells(intent: Intent) -> dict[str, Any]:
    # Not `asdict`, which copies every value deeply: an intent is written at every step.
    return {name: getattr(intent, name) for name in _INTENT} | {
        "amount": plain(intent.amount),
        "day": intent.day.isoformat(),
        "state": str(intent.state),
    }


def to_intent(row: sqlite3.Row) -> Intent:
    cells = {name: row[name] for name in _INTENT} | {name: bool(row[name]) for name in _FLAGS}
    return Intent(
        **cells | {"amount": _amount(row), "day": date.fromisoformat(row["day"]), "state": State(row["state"])}
    )


def attempt_cells(attempt: Attempt) -> dict[str, Any]:
    remainder = None if attempt.remainder is None else plain(attempt.remainder)
    return asdict(attempt) | {
        "amount": plain(attempt.amount),
        "remainder": remainder,
        "known": json.dumps(list(attempt.known)),
    }


def to_attempt(row: sqlite3.Row) -> Attempt:
    known, remainder = tuple(json.loads(row["known"])), read_amount(row["remainder"])
    return Attempt(**{**row, "amount": _amount(row), "known": known, "remainder": remainder})


def to_line(row: sqlite3.Row) -> Line:
    return Line(**{**row, "facts": json.loads(row["facts"])})


def ledger_payment_cells(claim: LedgerPayment) -> dict[str, Any]:
    return asdict(claim) | {
        "amount": plain(claim.amount),
        "day": claim.day.isoformat(),
        "takes_back": claim.amount <= 0,
        "facts": claim.facts,
    }


def to_ledger_payment(row: sqlite3.Row) -> LedgerPayment:
    columns = ("key", "invoice", "currency", "supplier", "ours")
    day = date.fromisoformat(row["day"])
    return LedgerPayment(**{name: row[name] for name in columns}, amount=_amount(row), day=day)


def _amount(row: sqlite3.Row) -> Any:
    amount = read_amount(row["amount"])
    assert amount is not None, "amounts were written by `plain`"
    return amount
