"""What cannot be used is said in one clear message, with the right exit code, and left untouched."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from tests.mirror.comparing import differences, truth_of
from tests.system.program import NO_LIMITS, Finished, Program
from tests.system.test_once import company, invoices_only

pytestmark = pytest.mark.asyncio


def refused(done: Finished, code: int, *words: str) -> None:
    assert done.code == code, done
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("precoro-daemon:")
    for word in words:
        assert word in done.stderr


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")


def _damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 16_384):
        content[page * 16_384 : page * 16_384 + 200] = b"\xff" * 200
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _text(path: Path) -> None:
    path.write_text("Dear diary, today I was taken for a database.\n")


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_newer, ("newer version",)),
        (_damaged, ("damaged",)),
        (_cut, ("damaged",)),
        (_text, ("damaged", "no state of this program")),
        (_foreign, ("another program",)),
    ],
)
async def test_a_state_that_is_not_ours_to_write(
    tmp_path: Path, spoil: Callable[[Path], None], words: tuple[str, ...]
) -> None:
    async with company(tmp_path, size="empty", counts={"invoices": 60}, limits=False) as (sandbox, program):
        program.sections |= {"limits": NO_LIMITS, "mirror_collections": invoices_only()}
        assert (await program.once()).code == 0
        _checkpoint(program.state)
        spoil(program.state)
        before = digest(program.state)
        sandbox.journal.clear()
        for command in (("--once",), ("status",)):
            refused(await program.run(*command), 4, str(program.state), *words)
        assert digest(program.state) == before
        assert sandbox.journal.total == 0


def _checkpoint(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def test_the_state_of_another_company(tmp_path: Path) -> None:
    async with company(tmp_path, size="empty", counts={"taxes": 3}, limits=False) as (sandbox, program):
        program.sections |= {"limits": NO_LIMITS, "mirror_collections": {"collections": ["taxes"]}}
        assert (await program.once()).code == 0
        _checkpoint(program.state)
        before = digest(program.state)
        sandbox.journal.clear()
        program.email = "someone@else.example"
        refused(await program.once(), 4, "another company")
        assert digest(program.state) == before
        assert sandbox.journal.total == 0


async def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    program = Program(
        tmp_path, "http://127.0.0.1:1", sections={"state": {"url": f"sqlite:///{tmp_path}/no/state.db"}}
    )
    refused(await program.once(), 4, "does not exist")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte, where mounting is allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a disk cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


async def test_a_full_disk_keeps_what_was_stored_and_the_work_goes_on_when_there_is_room(
    tmp_path: Path, small_disk: Path
) -> None:
    async with company(tmp_path, size="empty", counts={"invoices": 400}, record_bytes=4_000, limits=False) as (
        sandbox,
        program,
    ):
        state = small_disk / "state.db"
        program.sections |= {
            "limits": NO_LIMITS, "mirror_collections": invoices_only(), "state": {"url": f"sqlite:///{state}"}
        }  # fmt: skip
        refused(await program.once(), 1, "disk", "full")
        shutil.copytree(small_disk, tmp_path / "larger")
        larger = tmp_path / "larger" / "state.db"
        program.sections["state"] = {"url": f"sqlite:///{larger}"}
        assert (await program.once()).code == 0
        assert differences(larger, {"invoices": truth_of(sandbox, "invoices")}) == []


async def test_a_read_only_disk(tmp_path: Path, small_disk: Path) -> None:
    await anyio.run_process(["mount", "-o", "remount,ro", str(small_disk)])
    url = f"sqlite:///{small_disk}/state.db"
    program = Program(tmp_path, "http://127.0.0.1:1", sections={"state": {"url": url}})
    refused(await program.once(), 4, str(small_disk))
    assert (await anyio.run_process(["ls", "-A", str(small_disk)])).stdout == b""


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
async def test_a_read_only_directory(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir(mode=0o555)
    program = Program(tmp_path, "http://127.0.0.1:1", sections={"state": {"url": f"sqlite:///{place}/state.db"}})
    refused(await program.once(), 4, str(place))


async def test_all_mistakes_of_a_configuration_at_once(tmp_path: Path) -> None:
    program = Program(tmp_path, "ftp://precoro.example", email="nobody")
    program.sections |= {
        "limits": {"per_day": -1, "per_mintue": 3},
        "mirror_collections": {"collections": ["invoices", "invocies"], "per_page": 33},
        "fetch_details": {"every": "soon"},
    }
    done = await program.run("check")
    refused(
        done,
        4,
        "ftp",
        "precoro.email",
        "per_day",
        "per_mintue",
        "per_minute",
        "invocies",
        "per_page",
        "fetch_details.every",
    )
    assert len(done.stderr.splitlines()) >= 7
    assert not program.state.exists()


async def test_a_secret_that_everyone_can_read(tmp_path: Path) -> None:
    program = Program(tmp_path, "http://127.0.0.1:1")
    open_file = tmp_path / "open"
    open_file.write_text("sandbox-key")
    open_file.chmod(0o644)
    program.sections["precoro"] = {"token_file": str(open_file)}
    refused(await program.once(), 4, "token_file")


async def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = await Program(tmp_path, "http://127.0.0.1:1").run("--once", "--config", str(tmp_path / "none.toml"))
    refused(done, 4, "no such file")
