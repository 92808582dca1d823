"""Payments as people see them, on screens of any width."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from rich.console import Console, RenderableType

from precoro_daemon.cli import payment_tables
from precoro_daemon.payments.forecast import Forecast, LapForecast
from precoro_daemon.payments.ports.journal import Line
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.sources import LedgerSource, PrecoroPayment
from precoro_daemon.payments.rules.states import Direction, State

WIDTHS = (24, 40, 60, 80, 100, 120, 200)
WHY = "the ledger has 1234567.89 and the invoice owes 1234000.00; see [bold] in the ledger"
HELD = Intent(
    "3f2a9c1e" * 4,
    Direction.TO_PRECORO,
    "books",
    LedgerSource("PAYMENT-2026-000000017"),
    Decimal("1234567.89"),
    "EUR",
    date(2026, 1, 15),
    invoice_idn=104_233,
    state=State.REVIEW,
    reason=WHY,
)
BACK = replace(HELD, id="77aa00bb" * 4, source=PrecoroPayment(17), direction=Direction.TO_LEDGER, state=State.PLANNED)
FORECASTS = [Forecast(HELD, "review", Decimal("1234567.88"), WHY), Forecast(BACK, "doubt", HELD.amount, "looked for")]


def text(shown: RenderableType, width: int) -> str:
    console = Console(record=True, file=io.StringIO(), width=width)
    console.print(shown)
    return console.export_text()


def letters(shown: str) -> str:
    """Whatever was wrapped where."""
    return re.sub(r"\s", "", shown)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_of_a_payment_is_cut_however_narrow_the_screen(width: int) -> None:
    found = LapForecast(FORECASTS, "", 0, ())
    for shown in (payment_tables.review(found), payment_tables.forecast_of_lap(found)):
        told = text(shown, width)
        assert max(map(len, told.splitlines())) <= width
        assert "…" not in told
        for part in ("3f2a9c1e", "104233", str(HELD.source), "2026-01-15", "1234567.88 EUR", "(ledger: 1234567.89)"):
            assert letters(part) in letters(told), part


def test_a_review_says_where_payments_without_an_invoice_are() -> None:
    for forecasts in (FORECASTS, []):
        shown = text(payment_tables.review(LapForecast(forecasts, "", 3, ())), 200)
        assert "`payments unmatched` lists 3 more, which match no invoice." in shown
        assert "unmatched" not in text(payment_tables.review(LapForecast(forecasts, "", 0, ())), 200)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_reason_is_told_in_full(width: int) -> None:
    lines = [Line(1, 1.0, HELD.id, "hold", "planned", "review", 0, WHY, {"books": "1234567.89"})]
    trace = payment_tables.Trace(HELD, lines, [])
    found = LapForecast(FORECASTS, "", 0, ())
    for shown in (payment_tables.review(found), payment_tables.forecast_of_lap(found), payment_tables.trace(trace)):
        words = text(shown, width).split()
        assert [word for word in WHY.split() if word not in words] == []


def test_a_review_tells_in_which_direction_each_payment_goes() -> None:
    told = text(payment_tables.review(LapForecast(FORECASTS, "", 0, ())), 200)
    assert "Needs your decision, to Precoro: 1 payment, 1234567.88 EUR" in told
    assert "In doubt, being checked, to the ledger: 1 payment, 1234567.89 EUR" in told
