"""The commands as a user has them: real processes against a sandbox, from an empty directory."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from precoro_daemon.sandbox.rows import Row
from tests.system.program import NO_LIMITS, Program, terminate

pytestmark = pytest.mark.asyncio

SCALE = 100.0
"""A permission to write lasts five seconds, which are fifty milliseconds here."""


class Shop(Program):
    """One supplier with a few items."""

    def rows(self) -> list[dict[str, str]]:
        with (self.directory / "wanted.csv").open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))

    def want(self, rows: list[dict[str, str]]) -> None:
        with (self.directory / "wanted.csv").open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


@asynccontextmanager
async def shop(directory: Path, items: int = 5, **options: Any) -> AsyncIterator[tuple[Sandbox, Shop, Row]]:
    given: dict[str, Any] = {"size": "small", "counts": {"items": 0}, "limits": False, "time_scale": SCALE}
    async with serve(SandboxOptions(**given | options)) as sandbox:
        company = sandbox.company
        supplier = next(row for row in company["suppliers"] if row.enable)
        company.edit(supplier, external_id="V-1")
        for number in range(items):
            facts = {"sku": f"A-{number}", "total": 1_000 + number, "currency": supplier.currency, "unit": "pcs"}
            company.create("items", name=f"Item {number}", supplier=supplier, **facts)
        sections = {
            "limits": NO_LIMITS | {"time_scale": SCALE},
            "mirror_collections": {"collections": ["suppliers", "items", "units", "item_custom_fields"]},
            "manage_items": {"kind": "csv", "path": str(directory / "wanted.csv")},
        }
        yield sandbox, Shop(directory, sandbox.url, sections=sections), supplier


async def until(happened: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not happened():  # noqa: ASYNC110 - the sandbox does not tell when its rows change
            await anyio.sleep(0.002)


async def test_pull_edit_plan_apply_plan(tmp_path: Path) -> None:
    async with shop(tmp_path) as (sandbox, program, _):
        pulled = await program.run("items", "pull", "--supplier", "V-1", "--to", str(tmp_path / "wanted.csv"))
        assert pulled.code == 0, pulled
        assert "5 items of" in pulled.stdout
        again = await program.run("items", "plan", "--supplier", "V-1")
        assert "Nothing to do; 5 unchanged, 0 only in Precoro." in again.stdout
        rows = program.rows()
        rows[0]["price"] = "99.99"
        program.want([*rows[:4], rows[3] | {"sku": "NEW", "name": "New one"}])
        planned = await program.run("items", "plan", "--supplier", "V-1")
        assert "1 to create, 1 to update; 3 unchanged, 1 only in Precoro." in planned.stdout
        assert "99.99" in planned.stdout
        asked = await program.run("items", "apply", "--supplier", "V-1")
        assert (asked.code, "nobody is there to ask" in asked.stderr) == (2, True)
        applied = await program.run("items", "apply", "--supplier", "V-1", "--yes")
        assert (applied.code, "is carried out (2 done)" in applied.stdout) == (0, True), applied
        told = await program.run("items", "plan", "--supplier", "V-1", "--json")
        plan = json.loads(told.stdout)
        assert (plan["writes"], plan["unchanged"], len(plan["only_there"])) == ([], 5, 1)
        assert len(sandbox.company["items"]) == 6
        nothing = await program.run("items", "apply", "--supplier", "V-1", "--yes")
        assert (nothing.code, "nothing is left to do" in nothing.stdout) == (0, True)


async def test_a_plan_outlives_the_days_quota_and_once_goes_on_with_it(tmp_path: Path) -> None:
    quota = NO_LIMITS | {"per_day": 60}
    async with shop(tmp_path, items=80) as (sandbox, program, _):
        await program.run("items", "pull", "--supplier", "V-1", "--to", str(tmp_path / "wanted.csv"))
        program.want([row | {"price": "1.00"} for row in program.rows()])
        await program.run("items", "plan", "--supplier", "V-1")
        program.sections["limits"] = quota | {"time_scale": SCALE}
        stopped = await program.run("items", "apply", "--supplier", "V-1", "--yes")
        assert stopped.code == 6, stopped
        assert "goes on then" in stopped.stdout
        state = json.loads((await program.run("status", "--json")).stdout)
        [plan] = state["items"]
        assert plan["counts"]["done"] + plan["counts"]["planned"] == 80
        assert plan["counts"]["done"] > 20
        assert plan["seconds_left"] > 0
        shown = (await program.run("status")).stdout
        assert "planned; the rest takes about" in shown
        program.sections["limits"] = NO_LIMITS | {"time_scale": SCALE}
        sandbox.journal.clear()
        ended = await program.once("--only", "manage_items")
        assert ended.code == 0, ended
        assert {row.total for row in sandbox.company["items"]} == {100}
        writes = [entry.path_qs for entry in sandbox.journal if entry.method == "PUT"]
        assert len(writes) == len(set(writes)) == plan["counts"]["planned"]


async def test_killed_at_any_moment_nothing_is_made_twice(tmp_path: Path) -> None:
    async with shop(tmp_path, items=1, latency=0.01) as (sandbox, program, _):
        await program.run("items", "pull", "--supplier", "V-1", "--to", str(tmp_path / "wanted.csv"))
        [row] = program.rows()
        program.want([row, *(row | {"sku": f"N-{number}"} for number in range(60))])
        await program.run("items", "plan", "--supplier", "V-1")
        for number in range(6):
            before = len(sandbox.company["items"])
            async with program.running("items", "apply", "--supplier", "V-1", "--yes") as process:
                enough = before + 5 + number
                await until(lambda: len(sandbox.company["items"]) >= enough)  # noqa: B023 - awaited in the loop
                process.kill()
                await process.wait()
        done = await program.run("items", "apply", "--supplier", "V-1", "--yes")
        assert done.code == 0, done
        skus = [str((row.extra or {})["sku"]) for row in sandbox.company["items"]]
        assert sorted(skus) == sorted({"A-0", *(f"N-{number}" for number in range(60))})


async def test_a_signal_ends_it_soon_and_it_goes_on_later(tmp_path: Path) -> None:
    async with shop(tmp_path, items=40, latency=0.05) as (sandbox, program, _):
        await program.run("items", "pull", "--supplier", "V-1", "--to", str(tmp_path / "wanted.csv"))
        program.want([row | {"price": "1.00"} for row in program.rows()])
        await program.run("items", "plan", "--supplier", "V-1")
        async with program.running("items", "apply", "--supplier", "V-1", "--yes") as process:
            await until(lambda: sum(row.total == 100 for row in sandbox.company["items"]) >= 5)
            ended = await terminate(process, within=60)
        assert ended.code == 130, ended
        done = await program.run("items", "apply", "--supplier", "V-1", "--yes")
        assert (done.code, "is carried out (40 done)" in done.stdout) == (0, True), done


async def test_the_service_goes_on_with_what_was_approved(tmp_path: Path) -> None:
    async with shop(tmp_path, items=20, latency=0.05) as (sandbox, program, _):
        await program.run("items", "pull", "--supplier", "V-1", "--to", str(tmp_path / "wanted.csv"))
        program.want([row | {"price": "1.00"} for row in program.rows()])
        await program.run("items", "plan", "--supplier", "V-1")
        async with program.running("items", "apply", "--supplier", "V-1", "--yes") as process:
            await until(lambda: sum(row.total == 100 for row in sandbox.company["items"]) >= 3)
            process.kill()
            await process.wait()
        async with program.running("run") as process:
            await until(lambda: all(row.total == 100 for row in sandbox.company["items"]))
            ended = await terminate(process, within=60)
        assert ended.code == 0, ended
        shown = await program.run("items", "show", "--supplier", "V-1")
        assert "is carried out (20 done)" in shown.stdout, shown


async def test_what_cannot_be_planned_is_said_in_one_message(tmp_path: Path) -> None:
    async with shop(tmp_path) as (_, program, _supplier):
        missing = await program.run("items", "plan", "--supplier", "V-1")
        assert (missing.code, "cannot be read: No such file" in missing.stderr) == (3, True), missing
        unknown = await program.run("items", "plan", "--supplier", "V-2")
        assert (unknown.code, "Precoro has no supplier 'V-2'" in unknown.stderr) == (2, True), unknown
        none = await program.run("items", "apply", "--supplier", "V-1", "--yes")
        assert (none.code, "there is no plan for supplier 'V-1'" in none.stderr) == (2, True), none
        await program.run("items", "pull", "--supplier", "V-1", "--to", str(tmp_path / "wanted.csv"))
        twice = await program.run("items", "pull", "--supplier", "V-1", "--to", str(tmp_path / "wanted.csv"))
        assert (twice.code, "is not overwritten" in twice.stderr) == (2, True), twice
        rows = program.rows()
        program.want([rows[0] | {"price": "1,5", "unit": "furlong"}, rows[1] | {"sku": rows[0]["sku"]}])
        wrong = await program.run("items", "plan", "--supplier", "V-1")
        assert wrong.code == 3
        assert [line.split(": ")[0] for line in wrong.stderr.splitlines()[1:-1]] == [
            f'{tmp_path}/wanted.csv, row {row}, column "{column}"'
            for row, column in ((2, "price"), (2, "unit"), (3, "sku"))
        ]
        program.want(rows[:5])
        await program.run("items", "plan", "--supplier", "V-1")
        await program.run("items", "drop", "--supplier", "V-1")
        program.sections["manage_items"]["hide_missing"] = True
        program.want(rows[:2])
        half = await program.run("items", "plan", "--supplier", "V-1")
        assert (half.code, "half a file is likelier" in half.stderr) == (2, True), half
        forced = await program.run("items", "plan", "--supplier", "V-1", "--force")
        assert "3 to hide; 2 unchanged" in forced.stdout, forced
        program.sections["manage_items"] = {}
        off = await program.run("items", "plan", "--supplier", "V-1")
        assert (off.code, "[manage_items] does not say where wanted items are" in off.stderr) == (4, True)


async def test_a_database_will_do_as_well(tmp_path: Path) -> None:
    async with shop(tmp_path) as (_, program, _supplier):
        with closing(sqlite3.connect(tmp_path / "erp.db")) as connection, connection:
            connection.execute("CREATE TABLE articles (no TEXT, title TEXT, net TEXT, vendor TEXT)")
            connection.execute("INSERT INTO articles VALUES ('A-0', 'Other', '7.00', 'V-1'), ('B', 'B', '1', 'V-2')")
        program.sections["manage_items"] = {"kind": "sql"}
        program.sections["manage_items.sql"] = {
            "url": f"sqlite:///{tmp_path / 'erp.db'}",
            "query": "SELECT no AS sku, title AS name, net AS price FROM articles WHERE vendor = :supplier",
        }
        planned = await program.run("items", "plan", "--supplier", "V-1", "--json")
        [write] = json.loads(planned.stdout)["writes"]
        assert write["changes"] == {"name": ["Item 0", "Other"], "price": ["10.00", "7.00"]}
