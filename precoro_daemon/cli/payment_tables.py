"""payments as tables for people, and as JSON for programs"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from rich.console import Group, RenderableType

from precoro_daemon.cli.console import as_line
from precoro_daemon.cli.output import is_verbose
from precoro_daemon.cli.sheets import Sheet
from precoro_daemon.cli.tables import unmatched_words
from precoro_daemon.payments.rules.events import Answered, Asked, Dialogue
from precoro_daemon.payments.rules.sources import source_text
from precoro_daemon.values.humanize import many, moment
from precoro_daemon.values.money import plain, sums

if TYPE_CHECKING:
    from precoro_daemon.payments.forecast import Forecast, LapForecast
    from precoro_daemon.payments.ports.journal import Line
    from precoro_daemon.payments.rules.intents import Attempt, Intent
    from precoro_daemon.payments.unmatched import Unmatched

_SHORT_ID_CHARS = 8
"""The number of letters of an id that people need."""

_UNMATCHED_IN_PLAN = 20
"""The number of payments without an invoice that a plan lists. `payments unmatched` lists all."""

_FATES = {
    "send": "To be sent",
    "held": "Held back for now",
    "review": "Needs your decision",
    "doubt": "In doubt, being checked",
    "refused": "Refused by the other side",
}
"""Headings of the outcomes, in the order in which people read them."""

_DIRECTIONS = {"to_precoro": "to Precoro", "to_ledger": "to the ledger"}


@dataclass(frozen=True, slots=True)
class Trace:
    intent: Intent
    lines: Sequence[Line]
    attempts: Sequence[Attempt]


def forecast_of_lap(found: LapForecast) -> RenderableType:
    """Returns what the next lap would do with each payment, with the reason."""
    parts: list[RenderableType] = []
    parts += _groups(found.forecasts) if found.forecasts else [as_line("Nothing is to be sent.\n")]
    if found.closed:
        parts.append(as_line(f"Payments are held back: {found.closed}.", style="yellow"))
    elif sendable := sum(one.fate == "send" for one in found.forecasts):
        parts.append(
            as_line(f"The next lap sends {sendable}, as far as each fits its invoice when that is read anew.")
        )
    if found.waiting:
        said = unmatched_words(found.waiting)
        parts += [
            as_line(f"{said} (`payments unmatched` lists them all)."),
            _unmatched(found.unmatched[:_UNMATCHED_IN_PLAN]),
        ]
    parts += [as_line(f"cannot be read: {row.key}: {row.reason}", style="red") for row in found.unreadable]
    if found.unreadable:
        parts.append(as_line("Correct such a row in the ledger, or hide it: `ledger dismiss KEY`."))
    return Group(*parts)


def _groups(forecasts: Sequence[Forecast]) -> Iterator[RenderableType]:
    """Yields a table for each outcome and direction, below a heading with the count and the totals by currency."""
    for heading, group in grouped(forecasts):
        yield as_line(heading, style="bold")
        yield _table(group)


def grouped(forecasts: Sequence[Forecast]) -> Iterator[tuple[str, Sequence[Forecast]]]:
    for fate, words in _FATES.items():
        for direction, way in _DIRECTIONS.items():
            if group := [one for one in forecasts if (one.fate, one.intent.direction) == (fate, direction)]:
                totals = sums((one.intent.currency, one.amount) for one in group)
                yield f"{words}, {way}: {many(len(group), 'payment')}, {totals}", group


def review(found: LapForecast) -> RenderableType:
    """Returns what a person must decide, each with its full reason."""
    waiting = [one for one in found.forecasts if one.fate in ("review", "doubt", "refused")]
    beside = f"\n`payments unmatched` lists {found.waiting:,} more, which match no invoice." if found.waiting else ""
    if not waiting:
        return as_line("Nothing waits for a person, nothing is in doubt, and nothing was refused.").append(beside)
    hint = as_line(
        "\nDecide with `payments adopt`, `payments repost` or `payments drop`; `payments trace ID` shows all of it."
    )
    if any(one.fate == "refused" for one in waiting):
        hint.append("\nWhat was refused: `payments repost` once its cause is mended, or `payments drop`.")
    return Group(*_groups(waiting), hint.append(beside))


def unmatched(found: LapForecast) -> RenderableType:
    """Returns the payments of the ledger that will not be sent, each with the reason."""
    if not found.unmatched:
        return as_line("Every payment of the ledger meets an invoice.")
    more = found.waiting - len(found.unmatched)
    parts: list[RenderableType] = [_unmatched(found.unmatched)]
    return Group(*parts, as_line(f"and {more:,} older ones") if more > 0 else as_line(""))


def _unmatched(payments: Sequence[Unmatched]) -> Sheet:
    table = Sheet(("key", "reference", "amount", "day", "why"), right=("amount",), sentences="why")
    for one in payments:
        payment = one.payment
        amount = f"{plain(payment.amount)} {payment.currency}".strip()
        table.add(payment.key, payment.invoice, amount, payment.paid_on.isoformat(), one.why)
    return table


def unmatched_as_json(found: LapForecast) -> str:
    return _dumps({"waiting": found.waiting, "unmatched": [_unmatched_row(one) for one in found.unmatched]})


def _unmatched_row(one: Unmatched) -> Mapping[str, Any]:
    payment = one.payment
    return {
        "key": payment.key,
        "reference": payment.invoice,
        "amount": plain(payment.amount),
        "currency": payment.currency,
        "day": payment.paid_on.isoformat(),
        "why": one.why,
        "behind": None if one.behind is None else one.behind.id,
    }


def _table(forecasts: Sequence[Forecast]) -> Sheet:
    """Returns the table of one outcome and direction."""
    titles = ("id", "invoice", "supplier", "amount", "payment", "day", "why")
    table = Sheet(titles, right=("invoice", "amount"), sentences="why", sparse=("supplier",))
    for one in forecasts:
        intent = one.intent
        invoice = intent.invoice_idn if intent.invoice_idn is not None else intent.invoice_id
        amount = [f"{plain(one.amount)} {intent.currency}"]
        if one.amount != intent.amount:
            amount.append(f"(ledger: {plain(intent.amount)})")
        table.add(
            intent.id if is_verbose() else intent.id[:_SHORT_ID_CHARS],
            "?" if invoice is None else str(invoice),
            intent.supplier or "",
            amount,
            source_text(intent.source),
            intent.day.isoformat(),
            one.reason,
        )
    return table


def outlook_as_json(found: LapForecast, only: Sequence[str] = tuple(_FATES)) -> str:
    """Returns the forecast as JSON. Amounts are text, because a reader may parse JSON numbers as binary floats."""
    return _dumps(
        {
            "closed": found.closed or None,
            "payments": [
                _intent(one.intent) | {"fate": one.fate, "would_send": plain(one.amount), "why": one.reason}
                for one in found.forecasts
                if one.fate in only
            ],
            "waiting": found.waiting,
            "unmatched": [_unmatched_row(one) for one in found.unmatched],
            "unreadable": [{"key": row.key, "reason": row.reason, "raw": row.raw} for row in found.unreadable],
        }
    )


def trace(found: Trace) -> RenderableType:
    intent = found.intent
    table = Sheet(("when", "event", "state", "attempt", "why"), sentences="why")
    for line in found.lines:
        facts = (f"{key.replace('_', ' ')}: {value}" for key, value in line.facts.items())
        attempt = str(line.attempt) if line.attempt else ""
        why = [said for said in (line.reason, *facts, _said(line.dialogue)) if said]
        table.add(moment(line.at), line.event, line.target, attempt, why)
    remote = f", known there as {intent.remote_id}" if intent.remote_id else ""
    title = f"{intent.id}: {intent}, {_DIRECTIONS[intent.direction]}; {intent.state}{remote}"
    return Group(as_line(title, style="bold"), table, *(as_line(_attempt(one)) for one in found.attempts))


def _said(dialogue: Dialogue | None) -> str:
    """Returns what a person was asked, or what the person answered."""
    match dialogue:
        case Asked(about=about):
            return "a person is asked" + (f" about {', '.join(sorted(about))}" if about else "")
        case Answered(other=other):
            return f"a person said these are other payments: {', '.join(sorted(other))}"
        case None:
            return ""
    return "a person named the invoice"


def _attempt(attempt: Attempt) -> str:
    owed = "" if attempt.remainder is None else f" of {plain(attempt.remainder)} owed"
    outcome = attempt.outcome or "outcome not known"
    return f"attempt {attempt.number}, {moment(attempt.at)}: {plain(attempt.amount)}{owed}: {outcome}"


def trace_as_json(found: Trace) -> str:
    return _dumps(
        _intent(found.intent)
        | {
            "journal": [
                {
                    name: getattr(line, name)
                    for name in ("seq", "at", "event", "source", "target", "attempt", "reason")
                }
                | {"facts": dict(line.facts)}
                for line in found.lines
            ],
            "attempts": [
                {
                    "number": one.number,
                    "at": one.at,
                    "amount": plain(one.amount),
                    "remainder": None if one.remainder is None else plain(one.remainder),
                    "known": list(one.known),
                    "outcome": one.outcome,
                }
                for one in found.attempts
            ],
        }
    )


def _intent(intent: Intent) -> dict[str, Any]:
    return {
        "id": intent.id,
        "direction": str(intent.direction),
        "ledger": intent.ledger,
        "payment": source_text(intent.source),
        "invoice_id": intent.invoice_id,
        "invoice_idn": intent.invoice_idn,
        "amount": plain(intent.amount),
        "currency": intent.currency,
        "day": intent.day.isoformat(),
        "state": str(intent.state),
        "reason": intent.reason,
        "since": intent.since,
        "attempts": intent.attempts,
        "remote_id": intent.remote_id,
    }


def _dumps(document: Mapping[str, Any]) -> str:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
