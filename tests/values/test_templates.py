"""Texts with {names}: no value becomes more than the one value it is."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.payments.ports.ledger import Entry
from precoro_daemon.payments.rules.entries import ENTRY_FIELDS, named, short_key
from precoro_daemon.values.templates import (
    TemplateError,
    fill_address,
    fill_header,
    fill_json,
    fill_text,
    names_in,
    plain,
)

VALUES = {"amount": Decimal("12.50"), "day": date(2026, 1, 31), "name": "Büro & Söhne", "id": 7, "none": None}


def test_the_names_are_the_entrys_own():
    assert tuple(field.name for field in fields(Entry)) == ENTRY_FIELDS


def test_a_short_key_is_short_and_its_own():
    assert len(short_key("a")) == 20
    assert short_key("a") != short_key("b")
    assert named(dict.fromkeys(ENTRY_FIELDS, "k"))["short_key"] == short_key("k")


@pytest.mark.parametrize(
    ("amount", "text"), [("1E+3", "1000"), ("0.000", "0.000"), ("1E-7", "0.0000001"), ("-0.10", "-0.10")]
)
def test_an_amount_has_all_its_digits_and_no_exponent(amount: str, text: str):
    assert plain(Decimal(amount)) == text


def test_what_a_name_becomes():
    assert fill_text("a {amount} {day} {name} {id}{none} {", VALUES) == "a 12.50 2026-01-31 Büro & Söhne 7 {"
    template = {
        "a": "{amount}",
        "d": "{day}",
        "i": "{id}",
        "n": "{none}",
        "t": "{id:text}",
        "m": "no. {id}",
        "l": [1],
    }
    assert fill_json(template, VALUES) == {
        "a": Decimal("12.50"), "d": "2026-01-31", "i": 7, "n": None, "t": "7", "m": "no. 7", "l": [1],
    }  # fmt: skip
    assert fill_json("{name:int}", {"name": "0042"}) == 42
    assert list(names_in({"a": ["{b}", {"c": "{d:text}{e}"}]})) == ["b", "d", "e"]


@pytest.mark.parametrize(
    ("fill", "template"),
    [(fill_json, "{name:int}"), (fill_header, "x {name}"), (fill_text, "{other}"), (fill_address, "/x/{other}")],
)
def test_what_cannot_stand_there_is_refused(fill: object, template: str):
    with pytest.raises(TemplateError):
        fill(template, VALUES)  # type: ignore[operator]


def test_an_unknown_form_is_refused():
    with pytest.raises(TemplateError, match="text or int"):
        list(names_in("{id:float}"))


@given(st.text())
def test_no_value_changes_the_shape_of_an_address(value: str):
    try:
        filled = fill_address('/a/{v}/b?q={v}&where=x == "{v}"', {"v": value})
    except TemplateError:
        assert set(value) & {'"', "'", "\\"} or any(ord(sign) < 32 for sign in value)
        return
    parts = urlsplit(filled)
    assert [unquote(part) for part in parts.path.split("/")] == ["", "a", value, "b"]
    assert filled.isascii()
    query = parse_qs(parts.query, keep_blank_values=True)
    assert (query["q"], query["where"]) == ([value], [f'x == "{value}"'])


@given(st.text())
def test_no_value_changes_the_shape_of_json_or_a_header(value: str):
    assert json.loads(json.dumps(fill_json({"a": "{v}", "b": "x{v}"}, {"v": value}))) == {
        "a": value,
        "b": f"x{value}",
    }
    try:
        header = fill_header("Bearer {v}", {"v": value})
    except TemplateError:
        return
    assert not set(header) & {"\r", "\n", "\0"}
