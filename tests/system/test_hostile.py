"""The program against another implementation of the API, trap by trap."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from precoro_daemon.mirror.rules.collections import COLLECTIONS
from tests.mirror.comparing import exact
from tests.system.forked import DEVELOPMENT
from tests.system.hostile import EMAIL, SCALE, TOKEN, Habits, Hostile, hostile
from tests.system.program import NO_LIMITS, Finished, Program, finish

pytestmark = pytest.mark.asyncio

NAMES = ("invoices", "taxes", "receipts", "users")


def program_for(shown: Hostile, directory: Path, **limits: float) -> Program:
    program = Program(directory, shown.url, TOKEN, EMAIL)
    program.sections |= {
        "limits": NO_LIMITS | {"time_scale": SCALE} | limits,
        "mirror_collections": {"collections": list(NAMES), "per_page": 10},
        "log": {"level": "debug"},
    }
    return program


def kept_to_the_digit(program: Program, shown: Hostile, *, except_details: frozenset[str] = frozenset()) -> None:
    for name in NAMES:
        path = COLLECTIONS[name].path.removeprefix("/")
        truth = shown.truth(path)
        rows = {row["id"]: row for row in program.query(f"SELECT * FROM {name} WHERE vanished_at IS NULL")}
        assert rows.keys() == truth.rows.keys()
        for id_, row in rows.items():
            assert row["data"] == shown.rows[path][id_]
            if id_ in truth.details and str(truth.rows[id_]["idn"]) not in except_details:
                assert exact(row["detail"]) == truth.details[id_]


HABITS = {
    "totals": Habits(documents=57),
    "has_next": Habits(meta="has_next"),
    "has_next without page=last": Habits(meta="has_next", last=False),
    "has_next and an empty 200 behind the end": Habits(meta="has_next", last=False, beyond=200),
    "numbers as strings": Habits(meta="strings"),
    "no Date": Habits(date=False),
    "rows keyed by id": Habits(keyed=True),
    "wrapped details": Habits(wrapped=True),
}
UNPROVABLE = {
    "a total that drifts": Habits(drifting=True),
    "rows that come twice": Habits(repeating=True),
    "rows that come twice, without totals": Habits(repeating=True, meta="has_next", last=False),
}


@pytest.mark.parametrize("habits", HABITS.values(), ids=HABITS.keys())
async def test_every_shape_is_kept_to_the_digit(tmp_path: Path, habits: Habits) -> None:
    async with hostile(habits) as shown:
        program = program_for(shown, tmp_path)
        for _ in range(2):
            done = await program.once()
            troubles = [event for event in done.events if event["level"] not in {"debug", "info"}][-4:]
            assert (done.code, done.stderr) == (0, ""), troubles
            kept_to_the_digit(program, shown)


@pytest.mark.parametrize("habits", UNPROVABLE.values(), ids=UNPROVABLE.keys())
async def test_a_list_that_never_proves_complete_is_kept_all_the_same(tmp_path: Path, habits: Habits) -> None:
    """A whole list of which all ids came that it counts is proved, though some came twice; its changes are not."""
    async with hostile(habits) as shown:
        program = program_for(shown, tmp_path)
        unstable = []
        for _ in range(2):
            done = await program.once()
            assert done.stderr == ""
            unstable += done.only("scan_unproved")
            kept_to_the_digit(program, shown)
        assert unstable


async def test_columns_of_strange_rows(tmp_path: Path) -> None:
    async with hostile(Habits()) as shown:
        program = program_for(shown, tmp_path)
        assert (await program.once()).code == 0
        rows = program.query("SELECT typeof(idn) AS idn, typeof(sum) AS sum, external_id, status FROM invoices")
        assert {row["idn"] for row in rows} == {"integer"}
        assert {row["sum"] for row in rows} <= {"text", "null"}
        assert {row["external_id"] for row in rows} == {"EXT-1", "12345678901234567890123", "0", None}
        assert {row["status"] for row in rows} == {2, 17, -1, None}
        sums = {row["sum"] for row in program.query("SELECT sum FROM invoices")}
        assert {"12.50", "0.1000", "1E+2", "99.90", "79228162514264337593543950335"} <= sums
        assert program.query("SELECT 1 FROM invoice_lines WHERE sum = '1E+2'")


@pytest.mark.waits
async def test_a_strict_limiter_without_any_grace_never_refuses(tmp_path: Path) -> None:
    async with hostile(Habits(limited=1 / SCALE)) as shown:
        program = program_for(shown, tmp_path, per_second=1)
        done = await program.once()
        assert (done.code, done.stderr) == (0, "")
        assert shown.refused == 0
        kept_to_the_digit(program, shown)


async def test_a_forbidden_collection_and_details_that_are_another_document_harm_no_sibling(tmp_path: Path) -> None:
    astray = frozenset({"7", "21"})
    async with hostile(Habits(forbidden=frozenset({"taxes"}), astray=astray)) as shown:
        program = program_for(shown, tmp_path)
        done = await program.once()
        assert (done.code, done.stderr) == (3, "")
        asides = {(row["stage"], row["collection"]) for row in program.query("SELECT * FROM quarantine")}
        assert asides == {("scan", "taxes"), ("detail", "invoices")}
        shown.habits.forbidden = frozenset()
        assert (await program.once()).code == 3
        kept_to_the_digit(program, shown, except_details=astray)
        shown.habits.astray = frozenset()
        await anyio.sleep(2 / SCALE)  # two runs know the server's time to a second each, from whole seconds of Date
        assert (await program.once()).code == 0
        kept_to_the_digit(program, shown)


async def test_the_key_shows_nowhere(tmp_path: Path) -> None:
    """Not in what is printed or stored, even if the server quotes it; nor in the process's command line."""
    async with hostile(Habits(echo=True)) as shown:
        program = program_for(shown, tmp_path)
        program.environment = dict(DEVELOPMENT)  # started anew: a fork has its parent's command line
        async with program.running("--once") as process:
            seen = _command_line(process.pid)
            runs = [await finish(process)]
        program.environment = {}
        runs += [await program.run("status"), await program.run("check")]
        program.environment = {"PRECORO_TOKEN": f"{TOKEN}-wrong"}
        runs += [await program.once(), await program.run("estimate")]
        seen += [part for done in runs for part in _said(done)]
    program.config.unlink()
    (tmp_path / "token").unlink()
    seen += _files(tmp_path)
    for secret in (TOKEN, EMAIL):
        assert not [text for text in seen if secret.lower() in text.lower()]


def _command_line(pid: int) -> list[str]:
    command = Path(f"/proc/{pid}/cmdline")
    return [command.read_bytes().decode()] if command.exists() else []


def _files(directory: Path) -> list[str]:
    return [path.read_bytes().decode("utf-8", "replace") for path in directory.iterdir()]


def _said(done: Finished) -> tuple[str, str]:
    return done.stdout, done.stderr
