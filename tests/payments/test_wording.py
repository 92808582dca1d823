"""Texts are for people alone: whatever the messages of the payment path say, the same is decided."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from precoro_daemon.payments.rules.caps import Caps
from tests.payments import both_ways
from tests.payments.changes import Course
from tests.payments.world import fresh_world, open_bank

Play = Callable[[int], Coroutine[Any, Any, object]]

REWORD = """
DROP TRIGGER journal_is_never_changed;

CREATE TRIGGER reword_journal AFTER INSERT ON journal
BEGIN
    UPDATE journal SET reason = 'lorem ipsum ' || seq, facts = '{"dolor": "sit amet"}' WHERE seq = NEW.seq;
END;

CREATE TRIGGER reword_new_intents AFTER INSERT ON intents
BEGIN
    UPDATE intents SET reason = 'consectetur' WHERE id = NEW.id;
END;

CREATE TRIGGER reword_intents AFTER UPDATE OF reason ON intents WHEN NEW.reason NOT LIKE 'adipisci%'
BEGIN
    UPDATE intents SET reason = 'adipisci ' || NEW.attempts WHERE id = NEW.id;
END;

CREATE TRIGGER reword_unreadable_rows AFTER INSERT ON unreadable_rows
BEGIN
    UPDATE unreadable_rows SET reason = 'elit', raw = '' WHERE ledger = NEW.ledger AND key = NEW.key;
END;
"""
"""Whatever is written for people turns to nonsense in the moment it is written."""


@pytest.fixture(autouse=True)
def own_words_again() -> Iterator[None]:
    """What is played in this process afterwards has another database."""
    yield
    fresh_world()


async def course(seed: int) -> None:
    """The ledger changes its mind, requests fail, processes die, and a person decides."""
    await Course(open_bank(), seed=seed, caps=Caps(per_payment=Decimal(90))).play()


def decided(play: Play, seed: int, *, reworded: bool) -> tuple[Sequence[object], Sequence[object]]:
    """Every step of every intent, and what became of it, without the words."""
    database = fresh_world()
    if reworded:
        database.executescript(REWORD)
    asyncio.run(play(seed))
    steps = database.execute("SELECT at, intent, event, source, target, attempt, dialogue FROM journal ORDER BY seq")
    columns = [row["name"] for row in database.execute("PRAGMA table_info(intents)") if row["name"] != "reason"]
    intents = database.execute(f"SELECT {', '.join(columns)} FROM intents ORDER BY id")
    return _cells(steps), _cells(intents)


def _cells(rows: sqlite3.Cursor) -> Sequence[object]:
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(("play", "seed"), [(course, 1), (both_ways.play, 1)])
def test_the_same_is_decided_whatever_the_messages_say(play: Play, seed: int) -> None:
    """The sweep plays many."""
    same_is_decided(play, seed)


def same_is_decided(play: Play, seed: int) -> None:
    steps, intents = decided(play, seed, reworded=False)
    assert len(steps) > 3
    assert decided(play, seed, reworded=True) == (steps, intents)
