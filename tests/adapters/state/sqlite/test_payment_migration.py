"""States of versions that told what a person was asked and said by sentences alone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from precoro_daemon.adapters.state.intent_rows import to_intent, to_line
from precoro_daemon.adapters.state.sqlite.schema import MIGRATION_FILES, bring_up_to_date
from precoro_daemon.payments.rules.events import Answered, Asked, Assigned
from precoro_daemon.payments.rules.history import recall
from precoro_daemon.payments.rules.obstacles import ObstacleKind, obstacle
from precoro_daemon.payments.rules.sources import HiddenRest, LedgerSource, PrecoroPayment

ASKED, OTHER, NAMED = (
    "a person is asked",
    "a person said these are other payments",
    "a person named the invoice",
)


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    """As the version before left it."""
    before = next(
        number for number, step in enumerate(MIGRATION_FILES) if "RENAME TO ledger_payments" in step.read_text()
    )
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        for script in (step.read_text() for step in MIGRATION_FILES[:before]):
            connection.executescript(script)
        connection.execute(f"PRAGMA user_version = {before}")
        yield connection


def journal(database: sqlite3.Connection, *lines: tuple[str, str, str, dict[str, str]]) -> None:
    for event, target, reason, facts in lines:
        database.execute(
            "INSERT INTO journal (at, intent, event, source, target, attempt, reason, facts)"
            " VALUES (1, 'i', ?, '', ?, 0, ?, ?)",
            (event, target, reason, json.dumps(facts)),
        )


def intent(database: sqlite3.Connection, number: str, direction: str, source: str, reason: str) -> None:
    database.execute(
        "INSERT INTO intents (id, direction, ledger, source, amount, currency, day, state, reason, since, attempts,"
        " doubted, looks, look_at, marked, told, seen)"
        " VALUES (?, ?, 'books', ?, '1.00', 'EUR', '2026-01-15', 'review', ?, 1, 1, 1, 3, 9.5, 0, 1, 0)",
        (number, direction, source, reason),
    )


def test_what_a_person_was_asked_and_said_is_carried_over(database: sqlite3.Connection) -> None:
    journal(
        database,
        ("plan", "planned", "somebody says it is for invoice 7", {}),
        ("hold", "review", "INV has 5: it may be this one, typed by a person", {"status": "2"}),
        ("repost", "planned", "somebody wants it sent", {OTHER: '["5", "6"]'}),
        ("hold", "review", "already there", {ASKED: '["8"]', "status": "2"}),
        ("hold", "review", "both would fit", {ASKED: "yes"}),
        ("plan", "planned", "for another", {NAMED: "yes"}),
    )
    bring_up_to_date(database, "company")
    lines = [to_line(row) for row in database.execute("SELECT * FROM journal ORDER BY seq")]
    assert [line.dialogue for line in lines] == [
        Assigned(),
        Asked(),
        Answered(frozenset({"5", "6"})),
        Asked(frozenset({"8"})),
        Asked(),
        Assigned(),
    ]
    assert [line.facts for line in lines[3:]] == [{"status": "2"}, {}, {}]
    past = recall((line.event, line.dialogue) for line in lines)
    assert (past.asked, past.assigned, past.about) == (True, True, {"8"})
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute("UPDATE journal SET reason = ''")


def test_events_have_the_names_of_now(database: sqlite3.Connection) -> None:
    journal(
        database,
        ("look", "planned", "not at Precoro under our id", {}),
        ("look", "planned", "5 is above the cap of 4 for one payment", {}),
        ("look", "doubt", "not there so far", {}),
        ("tell", "rejected", "refused", {}),
    )
    database.execute("INSERT INTO journal VALUES (99, 1, '', 'disarm', '', '', 0, 'look here', '{}')")
    bring_up_to_date(database, "company")
    events = [row["event"] for row in database.execute("SELECT event FROM journal ORDER BY seq")]
    assert events == ["check", "postpone", "check", "report", "disarm"]


def test_intents_keep_their_source_their_checks_and_what_stands_in_their_way(database: sqlite3.Connection) -> None:
    intent(database, "a", "to_precoro", "payment:4", "held")
    intent(database, "b", "to_ledger", "payment:4", "payment:4 no longer stands in Precoro; held")
    intent(database, "c", "to_ledger", "payment:5", "payment:5 was cancelled in Precoro")
    intent(database, "d", "to_ledger", "rest of 7: 2.50", "Precoro shows another sum by now; held")
    bring_up_to_date(database, "company")
    kept = [to_intent(row) for row in database.execute("SELECT * FROM intents ORDER BY id")]
    assert [one.source for one in kept[:3]] == [LedgerSource("payment:4"), PrecoroPayment(4), PrecoroPayment(5)]
    assert isinstance(kept[3].source, HiddenRest)
    assert [one.obstacle for one in kept] == [
        None,
        obstacle(ObstacleKind.SOURCE_GONE, 4),
        obstacle(ObstacleKind.SOURCE_CANCELED, 5),
        obstacle(ObstacleKind.SUM_CHANGED),
    ]
    assert {(one.checks, one.check_at, one.reported) for one in kept} == {(3, 9.5, True)}


def test_payments_of_the_ledger_and_the_place_of_reading_stay(database: sqlite3.Connection) -> None:
    database.execute(
        "INSERT INTO claims VALUES ('books', '17', 'A-1', '1.00', 'EUR', '2026-01-15',"
        " NULL, NULL, 0, 'f', NULL, NULL, 1)"
    )
    database.execute("INSERT INTO misread_claims VALUES ('books', '18', 'garbled', '{}', 1)")
    database.execute("INSERT INTO positions VALUES ('claims of books', '18')")
    bring_up_to_date(database, "company")
    assert [row["key"] for row in database.execute("SELECT key FROM ledger_payments")] == ["17"]
    assert [row["key"] for row in database.execute("SELECT key FROM unreadable_rows")] == ["18"]
    [row] = database.execute("SELECT name, value FROM positions")
    assert tuple(row) == ("payments of books", "18")
