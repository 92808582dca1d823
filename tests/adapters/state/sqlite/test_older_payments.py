"""A state with payments in every state, written by the version before ledgers had names of their own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from precoro_daemon.adapters.state.sqlite.opening import APPLICATION_ID
from precoro_daemon.adapters.state.sqlite.schema import MIGRATION_FILES
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.errors import SendingStopped
from precoro_daemon.payments.ports.gateway import PaymentGateway
from precoro_daemon.payments.reconciliation import Reconciler
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.events import Send
from precoro_daemon.payments.rules.intents import Attempt, Step
from precoro_daemon.payments.rules.states import AttemptOutcome, Direction, State
from tests.payments.world import VirtualClock

pytestmark = pytest.mark.asyncio

WRITTEN = Path(__file__).with_name("schema_14_payments.sql").read_text(encoding="utf-8")
TABLES = ("intents", "attempts", "journal", "ledger_payments", "unreadable_rows", "positions")
Tables = dict[str, list[dict[str, Any]]]


def tables(path: Path) -> Tables:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in TABLES}


@pytest.fixture
def older(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for script in (
            *(path.read_text() for path in MIGRATION_FILES[:14]),
            WRITTEN,
            "INSERT INTO meta VALUES ('identity', 'company')",
        ):
            connection.executescript(script)
        connection.executescript(f"PRAGMA user_version = 14; PRAGMA application_id = {APPLICATION_ID}")
    return path


async def test_every_row_is_kept_with_what_it_said(older: Path) -> None:
    before = tables(older)
    async with SqliteState(older, "company").open():
        pass
    after = tables(older)
    assert {(row["direction"], row["state"]) for row in before["intents"]} == {
        (way, state) for way in Direction for state in State if (way, state) != (Direction.TO_LEDGER, State.REVIEW)
    }
    for name in TABLES:
        kept = [{column: row[column] for column in before[name][0]} for row in after[name]]
        assert kept == before[name], name
    assert all(row["mentioned"] for row in after["ledger_payments"]), "they are no news"
    assert [(row["since"], row["dismissed"]) for row in after["unreadable_rows"]] == [
        (row["seen_at"], False) for row in before["unreadable_rows"]
    ]


async def test_what_was_being_sent_is_a_doubt_and_nothing_is_sent_by_itself(older: Path) -> None:
    async with SqliteState(older, "company").open() as store:
        await store.journal.prepare()
        clock = VirtualClock()
        [sending] = await store.journal.in_state(Direction.TO_PRECORO, State.SENDING)
        nowhere = cast("PaymentGateway", None)  # to recover asks nobody
        recorder = Recorder(store.journal, clock)
        await Reconciler(nowhere, store.journal, store.ledger_payments, clock).recover(recorder)
        [doubt] = await store.journal.intent(sending.id)
        assert (doubt.state, doubt.doubted, doubt.attempts) == (State.DOUBT, True, sending.attempts)
        assert [one.outcome for one in await store.journal.attempts(doubt.id)] == [AttemptOutcome.UNKNOWN]
        assert [line.event for line in await store.journal.trace(doubt.id)][-2:] == ["send", "lose"]
        for planned in await store.journal.in_state(Direction.TO_PRECORO, State.PLANNED):
            attempt = Attempt(planned.id, planned.attempts + 1, clock.now(), planned.amount)
            with pytest.raises(SendingStopped):
                await store.journal.begin(planned, attempt, Step(Send(), clock.now()))


async def test_the_ledger_says_nothing_new_where_it_says_the_same(older: Path) -> None:
    async with SqliteState(older, "company").open() as store:
        assert await store.ledger_payments.changed("books") == []
        assert await store.ledger_payments.changed_entries("books") == []
        carried = [row for row in tables(older)["ledger_payments"] if row["intent"]]
        for row in carried:
            linked = await store.ledger_payments.linked("books", row["key"])
            assert linked is not None
            assert (linked.intent, linked.payment.facts) == (row["intent"], row["facts"])
        assert carried
