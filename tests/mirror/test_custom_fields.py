"""Definitions: one call for each field that is in use, again by age and on demand, and never in vain."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.state.sqlite import schema
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.app.state import identity
from precoro_daemon.errors import BudgetSpent
from precoro_daemon.mirror.ports.custom_fields import CustomFields
from precoro_daemon.sandbox.custom_fields import options, with_one_renamed
from precoro_daemon.sandbox.rows import Row
from tests.mirror.stage import SCALE, Stage, stage

pytestmark = pytest.mark.asyncio

COUNTS = {
    "documentcustomfields": 9, "itemcustomfields": 5, "suppliercustomfields": 4,
    "invoices": 25, "receipts": 10, "suppliers": 15, "items": 20, "users": 6,
}  # fmt: skip
MIRRORED = ("invoices", "receipts", "suppliers", "items", "users")
FIELDS = ("document_custom_fields", "item_custom_fields", "supplier_custom_fields")
DEFINITIONS = r"customfields/"
DAY = 86_400.0


def sections(*more: str, **settings: Any) -> dict[str, dict[str, Any]]:
    return {
        "mirror_collections": {"collections": (*MIRRORED, *more)},
        "fetch_details": {"collections": ("invoices", "receipts", "suppliers")},
        "resolve_custom_fields": settings,
    }


def company(directory: Path, *more: str, **settings: Any) -> Any:
    return stage(directory, counts=COUNTS, sections=sections(*more, **settings))


def field(shown: Stage, place: str = "documentcustomfields", number: int = 0) -> Row:
    return sorted(shown.sandbox.company[place], key=lambda row: row.id)[number]


def fields(shown: Stage) -> list[str]:
    return [
        f"/{place}/{row.id}" for place in sorted(COUNTS) if "custom" in place for row in shown.sandbox.company[place]
    ]


def rename(shown: Stage, row: Row, name: str) -> None:
    shown.sandbox.company.edit(row, _options=with_one_renamed(row, 0, name))


def pictures(shown: Stage) -> list[Any]:
    """All that a person can ask about custom fields, without when it was found out."""
    views = ("document_custom_values", "line_custom_values", "item_custom_values", "supplier_custom_values")
    rows = [tuple(row)[:-3] for view in views for row in shown.query(f"SELECT * FROM {view} ORDER BY data, position")]
    return rows + [tuple(row)[:-2] for row in shown.query("SELECT * FROM custom_field_options ORDER BY 1, 2, 4")]


def later(seconds: float) -> RealClock:
    """A clock ahead by some time, which no answer sets right."""
    clock = RealClock(SCALE, ahead=seconds)
    clock.anchor(clock.now())
    return clock


async def on_store(shown: Stage, act: Any) -> Any:
    async with SqliteState(shown.database, identity(shown.settings)).open() as store:
        return await act(store.custom_fields)


async def test_every_field_in_use_is_one_call_whatever_the_number_of_documents(tmp_path: Path) -> None:
    async with company(tmp_path) as shown:
        report = await shown.run()
        assert sorted(shown.calls(DEFINITIONS)) == sorted(fields(shown))
        assert report.failed == []
        assert report.remains == []
        assert len(shown.query("SELECT DISTINCT document_id FROM document_custom_values")) > 20
        shown.sandbox.journal.clear()
        await shown.run()
        assert shown.calls(DEFINITIONS) == []


async def test_values_show_with_the_names_and_options_the_company_gave_them(tmp_path: Path) -> None:
    async with company(tmp_path) as shown:
        await shown.run()
        types = {row["type"] for row in shown.query("SELECT type FROM custom_fields")}
        assert types == {"option", "options", "number", "date", "text", "user", "file"}
        for place, collection in (("documentcustomfields", FIELDS[0]), ("itemcustomfields", FIELDS[1])):
            born = {str(each["id"]): each["name"] for row in shown.sandbox.company[place] for each in options(row)}
            found = shown.query(
                f"SELECT option_id, option FROM custom_field_options WHERE collection = '{collection}'"
            )
            assert {row["option_id"]: row["option"] for row in found} == born
        for view in ("document_custom_values", "line_custom_values", "item_custom_values", "supplier_custom_values"):
            chosen = shown.query(f"SELECT * FROM {view} WHERE type IN ('option', 'options') AND value IS NOT NULL")
            assert chosen
            assert all(row["option"] and row["option_path"].endswith(row["option"]) for row in chosen)
        nested = shown.query("SELECT path FROM custom_field_options WHERE parent_id IS NOT NULL")
        assert nested
        assert all(" / " in row["path"] for row in nested)


async def test_fields_nothing_refers_to_are_not_asked_for(tmp_path: Path) -> None:
    async with stage(tmp_path, counts=COUNTS | {"invoices": 0, "receipts": 0}, sections=sections()) as shown:
        await shown.run()
        assert not shown.calls("/documentcustomfields/")
        assert len(shown.calls("/suppliercustomfields/")) == COUNTS["suppliercustomfields"]


async def test_lists_alone_are_enough_to_find_the_fields_of_documents(tmp_path: Path) -> None:
    async with company(tmp_path) as shown:
        shown.sections["fetch_details"] = {"collections": ()}
        await shown.run()
        assert len(shown.calls("/documentcustomfields/")) == COUNTS["documentcustomfields"]


async def test_a_definition_is_asked_for_again_when_it_is_old_and_not_before(tmp_path: Path) -> None:
    async with company(tmp_path, refresh_after="3d") as shown:
        await shown.run()
        shown.sandbox.journal.clear()
        await shown.run(clock=later(2.5 * DAY))
        assert shown.calls(DEFINITIONS) == []
        await shown.run(clock=later(3.5 * DAY))
        assert sorted(shown.calls(DEFINITIONS)) == sorted(fields(shown))


async def test_a_renamed_option_keeps_its_history(tmp_path: Path) -> None:
    async with company(tmp_path, "document_custom_fields") as shown:
        await shown.run()
        row = field(shown)
        old, id_ = options(row)[0]["name"], str(options(row)[0]["id"])
        said = f"SELECT DISTINCT option FROM document_custom_values WHERE option_id = '{id_}'"
        assert [each["option"] for each in shown.query(said)] == [old]
        rename(shown, row, "Renamed")
        shown.sandbox.journal.clear()
        await shown.run()
        assert shown.calls(DEFINITIONS) == [f"/documentcustomfields/{row.id}"], "its row in the list tells"
        assert [each["option"] for each in shown.query(said)] == ["Renamed"]
        history = (
            f"SELECT option, since, until FROM custom_field_option_history WHERE option_id = '{id_}' ORDER BY since"
        )
        was, is_ = shown.query(history)
        assert (was["option"], is_["option"], is_["until"]) == (old, "Renamed", None)
        assert was["since"] < was["until"] == is_["since"]


async def test_a_mirrored_list_and_details_of_fields_cost_no_second_call(tmp_path: Path) -> None:
    async with company(tmp_path, *FIELDS) as shown:
        shown.sections["fetch_details"] = {"collections": ("invoices", "receipts", "suppliers", *FIELDS)}
        await shown.run()
        assert sorted(shown.calls(DEFINITIONS)) == sorted(fields(shown))
        rename(shown, field(shown), "Renamed")
        shown.sandbox.journal.clear()
        await shown.run()
        assert shown.calls(DEFINITIONS) == [f"/documentcustomfields/{field(shown).id}"]
        assert shown.query("SELECT * FROM custom_field_options WHERE option = 'Renamed'")


async def test_a_definition_marked_stale_is_asked_for_by_the_next_run(tmp_path: Path) -> None:
    async with company(tmp_path) as shown:
        await shown.run()
        row = field(shown)
        rename(shown, row, "Renamed")

        async def mark(known: CustomFields) -> None:
            await known.mark_stale(FIELDS[0], {row.id: shown.sandbox.clock.now() - 10})

        shown.sandbox.journal.clear()
        await on_store(shown, mark)
        await shown.run()
        await shown.run()
        assert shown.calls(DEFINITIONS) == [f"/documentcustomfields/{row.id}"]
        assert shown.query("SELECT * FROM custom_field_options WHERE option = 'Renamed'")


@pytest.mark.parametrize("kind", ["403", "404"])
async def test_one_that_is_gone_or_forbidden_leaves_the_values_and_is_let_be(tmp_path: Path, kind: str) -> None:
    async with company(tmp_path) as shown:
        row = field(shown)
        shown.sandbox.faults.add(kind, path=f"^/documentcustomfields/{row.id}$", times=None)
        report = await shown.run()
        assert (report.failed, report.remains) == ([], [])
        values = shown.query(f"SELECT * FROM document_custom_values WHERE field_id = {row.id}")
        assert values
        assert all(each["field"] == row.name and each["value"] and not each["option"] for each in values)
        [problem] = shown.query("SELECT problem FROM custom_fields WHERE problem IS NOT NULL")
        assert kind in problem["problem"]
        for _ in range(3):
            assert (await shown.run()).remains == []
        assert len(shown.calls(f"/documentcustomfields/{row.id}")) == 1
        await shown.run(clock=later(8 * DAY))
        assert len(shown.calls(f"/documentcustomfields/{row.id}")) == 2
        assert len(shown.calls(f"/documentcustomfields/{field(shown, number=1).id}")) == 2


@pytest.mark.parametrize("kind", ["500", "422", "half_json", "200_html"])
async def test_one_that_fails_is_tried_again_and_harms_no_other(tmp_path: Path, kind: str) -> None:
    async with company(tmp_path) as shown:
        row = field(shown)
        shown.sandbox.faults.add(kind, path=f"^/documentcustomfields/{row.id}$", times=None)
        report = await shown.run()
        assert len(report.failed) == 1
        assert f"document_custom_fields {row.id}" in report.failed[0]
        assert "document_custom_fields" not in shown.collections
        assert [line for line in report.remains if "fields are quarantined (document custom fields 1)" in line]
        assert len(shown.query("SELECT * FROM custom_fields WHERE as_of IS NULL")) == 1

        shown.sandbox.faults.clear()
        report = await shown.run()
        assert (report.failed, report.remains) == ([], [])
        assert shown.query("SELECT * FROM custom_fields WHERE as_of IS NULL") == []


async def test_a_key_that_may_see_no_definition_is_not_taken_for_a_blocked_one(tmp_path: Path) -> None:
    async with company(tmp_path, *FIELDS) as shown:
        shown.sandbox.faults.add("403", path=DEFINITIONS, times=None)
        for number in range(1, 4):
            report = await shown.run()
            assert (report.failed, report.stopped) == ([], None)
            assert len(shown.calls(DEFINITIONS)) == 2 * number
        assert len(set(shown.calls(DEFINITIONS))) == 6, "each of them once"
        shown.sandbox.faults.clear()
        shown.sandbox.journal.clear()
        await shown.run()
        assert len(shown.calls(DEFINITIONS)) == len(fields(shown)) - 6


async def test_two_forbidden_ones_with_a_good_one_between_keep_nobody_from_the_others(tmp_path: Path) -> None:
    async with company(tmp_path, *FIELDS) as shown:
        for number in (0, 2, 4):
            path = f"^/documentcustomfields/{field(shown, number=number).id}$"
            shown.sandbox.faults.add("403", path=path, times=None)
        assert (await shown.run()).failed == []
        assert sorted(shown.calls(DEFINITIONS)) == sorted(fields(shown))


async def test_a_missing_one_between_two_forbidden_ones_does_not_show_that_the_key_is_good(tmp_path: Path) -> None:
    async with company(tmp_path, *FIELDS) as shown:
        shown.sandbox.faults.add("404", path=f"/documentcustomfields/{field(shown, number=1).id}$", times=None)
        shown.sandbox.faults.add("403", path=DEFINITIONS, times=None)
        assert (await shown.run()).failed == []
        assert len(shown.calls(DEFINITIONS)) == 3


async def test_a_lap_that_is_killed_anywhere_ends_the_same_when_it_is_run_again(tmp_path: Path) -> None:
    async with company(tmp_path / "whole") as shown:
        (tmp_path / "whole").mkdir()
        await shown.run()
        expected, asked = pictures(shown), len(fields(shown))
        (tmp_path / "cut").mkdir()
        cut = Stage(shown.sandbox, tmp_path / "cut", shown.sections)
        shown.sandbox.journal.clear()
        for number in range(asked):
            with anyio.CancelScope() as scope:
                cut.when(DEFINITIONS, scope.cancel, skip=1 if number % 2 else 0)
                await cut.run()
        await cut.run()
        assert pictures(cut) == expected
        # A call in flight when the program dies is made again, and nothing else.
        assert len(shown.calls(DEFINITIONS)) <= 2 * asked


async def test_when_the_day_is_spent_the_rest_waits_for_the_next(tmp_path: Path) -> None:
    async with company(tmp_path) as shown:
        shown.sections["mirror_collections"] = {"collections": ("invoices",)}
        shown.sections["fetch_details"] = {"collections": ()}
        no_reserves = dict.fromkeys(("payments", "deliveries", "lists", "details", "files", "census"), 0)
        shown.sections["limits"] = {"per_day": 3 + 3, "reserve": no_reserves}
        report = await shown.run()
        assert isinstance(report.spent, BudgetSpent)
        assert (len(shown.calls("/invoices?")), len(shown.calls(DEFINITIONS))) == (3, 3)
        shown.sections["limits"] = {}
        await shown.run()
        assert len(shown.calls(DEFINITIONS)) == len(set(shown.calls(DEFINITIONS))) == COUNTS["documentcustomfields"]


async def test_a_state_of_the_version_before_gets_all_its_fields(tmp_path: Path) -> None:
    async with company(tmp_path) as shown:
        await shown.run()
        expected = pictures(shown)
        await anyio.to_thread.run_sync(_as_before, shown.database)
        shown.sandbox.journal.clear()
        await shown.run()
        assert sorted(shown.calls(DEFINITIONS)) == sorted(fields(shown))
        assert pictures(shown) == expected


def _as_before(database: Path) -> None:
    """The state as the version before custom fields would have left it: its schema, and what it knew of."""
    steps = sorted((Path(schema.__file__).parent / "schema").glob("[0-9]*.sql"))
    [before] = [number for number, step in enumerate(steps) if "custom_fields" in step.name]
    former = database.with_name("former.db")
    with closing(sqlite3.connect(former)) as connection:
        for step in steps[:before]:
            connection.executescript(step.read_text("utf-8"))
        connection.execute("ATTACH ? AS present", (str(database),))
        [application] = connection.execute("PRAGMA present.application_id").fetchone()
        for table in _columns(connection, "main").keys() & _columns(connection, "present").keys():
            both = ", ".join(f'"{name}"' for name in _shared(connection, table))
            connection.execute(f"INSERT INTO main.{table} ({both}) SELECT {both} FROM present.{table}")
        connection.commit()
        connection.execute("DETACH present")
        connection.executescript(
            f"""
            DELETE FROM log_positions WHERE follower = 'custom_fields';
            DELETE FROM details WHERE collection LIKE '%custom_fields';
            DELETE FROM meta WHERE key = 'views';
            PRAGMA application_id = {application};
            PRAGMA user_version = {before};
            """
        )
    for part in ("-wal", "-shm"):
        database.with_name(database.name + part).unlink(missing_ok=True)
    former.replace(database)


def _columns(connection: sqlite3.Connection, name: str) -> dict[str, list[str]]:
    """The columns of each table of a database."""
    tables = connection.execute(f"SELECT name FROM {name}.sqlite_master WHERE type = 'table'").fetchall()
    return {
        table: [row[1] for row in connection.execute(f"PRAGMA {name}.table_info({table})")] for (table,) in tables
    }


def _shared(connection: sqlite3.Connection, table: str) -> list[str]:
    present = _columns(connection, "present")[table]
    return [column for column in _columns(connection, "main")[table] if column in present]
