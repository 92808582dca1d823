"""The life of an intent: what may happen to it, what it is called, and its diagram."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import get_args
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis.strategies import integers, none, text

from precoro_daemon.payments.rules import transitions
from precoro_daemon.payments.rules.events import (
    Check,
    Event,
    Postpone,
    Repeat,
    Replan,
    Repost,
    Unsent,
)
from precoro_daemon.payments.rules.sources import LedgerSource, external_id, intent_id
from precoro_daemon.payments.rules.states import UNRESOLVED, State
from precoro_daemon.payments.rules.transitions import TABLE, ImpossibleTransition, after

MANUAL = Path(__file__).parents[2] / "precoro_daemon" / "docs"


def test_nothing_happens_but_what_the_table_has() -> None:
    allowed = {(row.source, row.event): row.target for row in TABLE}
    assert len(allowed) == len(TABLE)
    for source, event in product((None, *State), get_args(Event)):
        if (source, event) in allowed:
            assert after(source, event) is allowed[source, event]
        else:
            with pytest.raises(ImpossibleTransition):
                after(source, event)


def test_only_one_road_leads_to_sending_and_it_begins_at_planned() -> None:
    assert [row.source for row in TABLE if row.target is State.SENDING] == [State.PLANNED]


def test_a_doubt_is_never_sent_without_a_look_or_a_person() -> None:
    back = {(row.source, row.event) for row in TABLE if row.target is State.PLANNED and row.source is not None}
    assert back == {
        (State.PLANNED, Replan),
        (State.REVIEW, Replan),
        (State.REJECTED, Replan),
        (State.PLANNED, Postpone),
        (State.PLANNED, Check),
        (State.SENDING, Unsent),
        (State.DOUBT, Repeat),
        (State.REVIEW, Repost),
        (State.REJECTED, Repost),
    }


def test_every_unresolved_state_can_be_left() -> None:
    for state in UNRESOLVED:
        assert any(row.source is state and row.target is not state for row in TABLE)


def test_the_id_is_the_same_for_the_same_payment_for_ever() -> None:
    one = intent_id("company", "books", LedgerSource("17"), 4711)
    assert one == "28721a20-687f-5a6b-b39f-7ee2d46e30eb"
    others = [
        intent_id("other", "books", LedgerSource("17"), 4711),
        intent_id("company", "other", LedgerSource("17"), 4711),
        intent_id("company", "books", LedgerSource("18"), 4711),
        intent_id("company", "books", LedgerSource("17"), 4712),
        intent_id("company", "books", LedgerSource("17"), None),
    ]
    assert len({one, *others}) == 6


@given(key=text(), invoice=none() | integers(1, 2**63))
def test_the_id_is_a_name_based_uuid(key: str, invoice: int | None) -> None:
    name = f"company|books|{key}|{'' if invoice is None else invoice}"
    one = intent_id("company", "books", LedgerSource(key), invoice)
    assert one == str(uuid5(UUID("5a1cf6f8-7d1d-5e0b-9f5e-1f3f1f0f3b55"), name))


def test_an_external_id_as_a_number_fits_64_bits() -> None:
    one = intent_id("company", "books", LedgerSource("17"), 4711)
    assert external_id(one, "uuid") == one
    assert int(external_id(one, "number")) < 2**63


def test_the_manual_shows_exactly_this_table() -> None:
    """When this fails, run `make docs`."""
    fences = re.findall(r"```mermaid\n(.*?)\n```", (MANUAL / "payments.md").read_text("utf-8"), re.DOTALL)
    assert fences == [transitions.diagram()]
