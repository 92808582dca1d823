"""kill -9 at every call that touches a file: what bears a final name is complete, the next run completes the rest."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from precoro_daemon.sandbox.files import Attachment
from tests.system.program import NO_LIMITS, ROOT, Program

JOB = ("--once", "--only", "fetch_attachments", "--config", "config.toml")
CONTENTS = (b"%PDF longer than two blocks " * 100_000, b"%PDF the same " * 9_000, b"%PDF the same " * 9_000)


def company_with_files(sandbox: Sandbox) -> dict[int, bytes]:
    """Three files of two contracts, two of them with the same content."""
    company = sandbox.company
    wanted: dict[int, bytes] = {}
    for row, contents in zip(company["contracts"], (CONTENTS[:2], CONTENTS[2:]), strict=False):
        files = [
            Attachment(row.id * 10 + n, f"{n}.pdf", content, company.now()) for n, content in enumerate(contents)
        ]
        row.files = 0
        company.edit(row, _uploads=files)
        wanted |= {file.id: file.content for file in files}
    return wanted


async def beginning(directory: Path, sandbox: Sandbox) -> Path:
    """A state in which everything is known but the files."""
    program = Program(directory, sandbox.url)
    program.sections |= {
        "limits": NO_LIMITS,
        "mirror_collections": {"collections": ["contracts"]},
        "fetch_details": {"collections": ["contracts"]},
    }
    assert (await program.once()).code == 0
    program.sections["state"] = {"url": "sqlite:///state.db"}
    program.sections["precoro"] = {"token_file": "token"}
    program.sections["fetch_attachments"] = {"directory": "files", "reserve_bytes": 0, "in_flight": 1}
    program.write()
    return directory


def complete_ones(directory: Path, wanted: dict[int, bytes]) -> set[int]:
    """Ids of the files under their final names, each of which must be right."""
    found = {int(path.name.partition("__")[0]): path.read_bytes() for path in (directory / "files").rglob("*__*")}
    assert found == {id_: wanted[id_] for id_ in found}
    return set(found)


def check_killed(directory: Path, wanted: dict[int, bytes]) -> None:
    with closing(sqlite3.connect(directory / "state.db")) as connection:
        stored = connection.execute("SELECT attachment_id FROM attachments WHERE path IS NOT NULL").fetchall()
    assert {id_ for (id_,) in stored} <= complete_ones(directory, wanted)


def check_recovered(directory: Path, wanted: dict[int, bytes]) -> None:
    assert complete_ones(directory, wanted) == set(wanted)
    lines = [json.loads(line) for line in (directory / "files" / "manifest.jsonl").read_text().splitlines()]
    assert sorted((line["attachment_id"], line["sha256"]) for line in lines) == sorted(
        (id_, hashlib.sha256(content).hexdigest()) for id_, content in wanted.items()
    )
    left = list((directory / "files").rglob(".*.part"))
    kept = {path.stat().st_ino for path in (directory / "files").rglob("*__*")}
    assert {path.stat().st_ino for path in left} <= kept, "a second name at the most, which `files verify` removes"
    assert not list((directory / "files").rglob("*.new"))


async def kill_at_points(directory: Path, *, every: int, first: int) -> int:
    """How many points were tried. Raises AssertionError if one of them did harm."""
    options = SandboxOptions(size="empty", counts={"contracts": 2}, limits=False, seed=5)
    async with serve(options) as sandbox:
        wanted = company_with_files(sandbox)
        (directory / "begin").mkdir()
        start = await beginning(directory / "begin", sandbox)
        (directory / "results").mkdir()
        command = [
            sys.executable,
            "-m",
            "tests.system.dying",
            str(start),
            str(directory / "results"),
            str(every),
            str(first),
        ]
        done = await anyio.run_process([*command, *JOB], cwd=ROOT, check=False)
        assert done.returncode == 0, done.stderr.decode()
    points = sorted((directory / "results").iterdir())
    for point in points:
        check_killed(point / "killed", wanted)
        shutil.rmtree(point / "killed")
        check_recovered(point, wanted)
    return len(points)


@pytest.mark.asyncio
async def test_killed_at_any_call_no_file_is_ever_half_there(tmp_path: Path) -> None:
    assert await kill_at_points(tmp_path, every=32, first=2) > 1
