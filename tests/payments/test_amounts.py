"""Amounts stay exact from the wire to the wire, and nothing on their way is a binary float."""

from __future__ import annotations

import ast
import re
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

import precoro_daemon
from precoro_daemon.adapters.http.exchange import Request
from precoro_daemon.adapters.precoro.payments import _form
from precoro_daemon.adapters.state.intent_rows import intent_cells, ledger_payment_cells
from precoro_daemon.payments.ports.gateway import PaymentRequest
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.invoices import read_invoice, read_payment
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
from precoro_daemon.values.money import ROUNDING_CENT, is_whole, plain, read_amount, snap
from tests.payments.books import DAY

PACKAGE = Path(precoro_daemon.__file__).parent
_ROWS = ("journal", "ledger_payments", "intent_rows")
ON_THE_WAY = [
    PACKAGE / "values/money.py",
    PACKAGE / "adapters/precoro/payments.py",
    *sorted((PACKAGE / "payments").rglob("*.py")),
    *sorted(path for path in (PACKAGE / "adapters/state").rglob("*.py") if path.stem in _ROWS),
]
MONEY = re.compile(r"amount|total|remainder|(?<!un)paid$|cents|spent|per_payment|per_day")

EACH = 500


def amounts(drawn: bytes) -> list[Decimal]:
    """Eight bytes an amount: how many decimals it has, its sign, and its digits. Drawn as numbers, thousands
    would take Hypothesis minutes."""
    numbers = (int.from_bytes(drawn[start : start + 8]) for start in range(0, len(drawn), 8))
    return [Decimal((number >> 6) * (-1) ** (number & 1)).scaleb(-((number >> 1) % 13)) for number in numbers]


@settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.large_base_example],
    # Five hundred amounts are made fewer for many minutes, and the one that is wrong is shown anyway.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(st.binary(min_size=8 * EACH, max_size=8 * EACH).map(amounts))
def test_amounts_wire_to_wire(drawn: list[Decimal]) -> None:
    """Ten thousand; a hundred thousand and more in each round of the sweep."""
    wire_to_wire(drawn)


def wire_to_wire(drawn: list[Decimal]) -> None:
    """Some of which have more digits than money has: numbers and text from Precoro, through the journal's rows, into
    a form."""
    drawn = [amount for amount in drawn if abs(amount) < 10**15]
    texts = ",".join(
        f'{{"id":{number},"sumPaid":{amount:f}}}' if number % 2 else f'{{"id":{number},"sumPaid":"{amount:f}"}}'
        for number, amount in enumerate(drawn)
    )
    invoice = read_invoice(f'{{"id":1,"sum":"7.10","sumPaid":0,"payments":{{"data":[{texts}]}}}}')
    assert invoice.payments is not None
    for amount, payment in zip(drawn, invoice.payments, strict=True):
        assert payment.amount == amount
        claim = LedgerPayment("1", "1", payment.amount, "EUR", DAY)
        intent = Intent("id", "to_precoro", "books", "1", amount, "EUR", DAY)
        assert read_amount(ledger_payment_cells(claim)["amount"]) == amount
        assert read_amount(intent_cells(intent)["amount"]) == amount
        form = parse_qs(Request("POST", "/payments", form=_form(PaymentRequest(1, amount, DAY))).body.decode())
        assert Decimal(form["sumPaid"][0]) == amount


def sums(drawn: bytes) -> list[Decimal]:
    """Six bytes a sum to the cent, of none to eleven digits, as many of each length."""
    numbers = (int.from_bytes(drawn[start : start + 6]) for start in range(0, len(drawn), 6))
    return [Decimal(number // 12 % 10 ** (number % 12)).scaleb(-2) for number in numbers]


@settings(max_examples=70, suppress_health_check=[HealthCheck.large_base_example])
@given(st.binary(min_size=12 * 60, max_size=12 * 60).map(sums))
@example([Decimal("1E+9"), Decimal("0.00"), Decimal("0.00"), Decimal("1E+9"), Decimal("0.10"), Decimal("0.30")])
def test_a_remainder_is_exact(drawn: list[Decimal]) -> None:
    for total, paid in zip(drawn[::2], drawn[1::2], strict=True):
        invoice = read_invoice(f'{{"id":1,"sum":{total:f},"sumPaid":"{paid:f}"}}')
        assert invoice.remainder == total - paid


@given(st.decimals(0, 10**9, places=4), st.decimals(0, 10**9, places=4))
def test_only_a_rounding_cent_is_snapped(amount: Decimal, remainder: Decimal) -> None:
    assert snap(amount, remainder) == (remainder if abs(amount - remainder) <= ROUNDING_CENT else amount)
    assert snap(remainder + ROUNDING_CENT, remainder) == remainder
    assert snap(remainder + ROUNDING_CENT + Decimal("0.0001"), remainder) > remainder


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("12.50", "12.50"),
        (" 7 ", "7"),
        (0, "0"),
        ("-3.1", "-3.1"),
        ("0.1", "0.1"),
        (Decimal("1E+2"), "100"),
        ("999999999999999.99", "999999999999999.99"),
    ],
)
def test_amounts_that_can_be_read(value: object, amount: str) -> None:
    assert read_amount(value) == Decimal(amount)


@pytest.mark.parametrize(
    "value", [None, "", "abc", "1,50", "1e5", "NaN", "Infinity", True, [], {}, 12.5, Decimal("NaN"), "1" * 20, "１２"]
)
def test_amounts_that_cannot(value: object) -> None:
    assert read_amount(value) is None


@pytest.mark.parametrize(
    ("amount", "currency", "whole"),
    [
        ("10.50", "EUR", True),
        ("10.505", "EUR", False),
        ("10.500", "EUR", True),
        ("10", "JPY", True),
        ("10.00", "JPY", True),
        ("10.5", "JPY", False),
        ("1.234", "KWD", True),
        ("1.2345", "KWD", False),
    ],
)
def test_coins_of_a_currency(amount: str, currency: str, whole: bool) -> None:
    assert is_whole(Decimal(amount), currency) is whole


@pytest.mark.parametrize(
    ("amount", "text"), [("1E+3", "1000.00"), ("0.005", "0.005"), ("1.500", "1.50"), ("0", "0.00")]
)
def test_amounts_in_plain_words(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text


def test_a_number_in_json_is_never_a_float() -> None:
    payment = read_payment('{"id": 1, "sumPaid": 0.1}')
    assert payment.amount == Decimal("0.1")
    assert type(payment.amount) is Decimal


def _money(node: ast.AST) -> str:
    if isinstance(node, ast.AnnAssign | ast.arg):
        name = node.target if isinstance(node, ast.AnnAssign) else node.arg
        return name if isinstance(name, str) else ast.unparse(name)
    return ""


@pytest.mark.parametrize("path", ON_THE_WAY, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_float_on_the_way(path: Path) -> None:
    """No amount is declared a float, nothing is made one, and no division makes one."""
    for node in ast.walk(ast.parse(path.read_text())):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) != "float", f"{path.name}:{line} makes a float"
            if ast.unparse(node.func) == "json.loads" and path.name in ("invoices.py", "payments.py"):
                assert any(word.arg == "parse_float" for word in node.keywords), f"{path.name}:{line} reads floats"
        if isinstance(node, ast.BinOp):
            assert not isinstance(node.op, ast.Div), f"{path.name}:{line} divides"
        if MONEY.search(_money(node)) and isinstance(node, ast.AnnAssign | ast.arg):
            assert "float" not in ast.unparse(node.annotation or ast.Constant("")), f"{path.name}:{line}"


def test_the_store_keeps_amounts_as_text() -> None:
    schema = (PACKAGE / "adapters/state/sqlite/schema/0004_payments.sql").read_text()
    columns = re.findall(r"^ +(amount|remainder) +(\w+)", schema, re.MULTILINE)
    assert len(columns) >= 4
    assert {kind for _, kind in columns} == {"TEXT"}
