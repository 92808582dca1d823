"""Terminals that know few signs, and output that was closed or cannot be written."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from tests.system.forked import begin
from tests.system.program import NO_LIMITS, Finished, Program
from tests.system.test_once import company, invoices_only

pytestmark = pytest.mark.asyncio


async def redirected(program: Program, command: str, redirection: str) -> Finished:
    words = " ".join(program.command(*command.split()))
    made = await anyio.run_process(
        ["bash", "-c", f"{words} {redirection}"], check=False, cwd=program.directory, env=program.environ()
    )
    return Finished(made.returncode, made.stdout.decode(), made.stderr.decode())


def with_a_full_disk(program: Program, *arguments: str) -> Finished:
    said, errors = os.pipe()
    ended, told = os.pipe()
    with Path("/dev/full").open("wb") as full:
        words = [*arguments, "--config", str(program.config)]
        begin(words, program.directory, program.environ(), [full.fileno(), errors, told])
    os.close(errors)
    os.close(told)
    with os.fdopen(said) as complaints, os.fdopen(ended) as numbers:
        text = complaints.read()
        _, code = numbers.read().split()
    return Finished(int(code), "", text)


def on_a_terminal(program: Program, *arguments: str) -> tuple[int, bytes]:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        program.command(*arguments), stdout=theirs, stderr=theirs, cwd=program.directory, env=program.environ()
    ) as process:
        os.close(theirs)
        seen = b""
        try:
            while more := os.read(ours, 4096):
                seen += more
        except OSError:
            pass  # the other end was closed
        os.close(ours)
    return process.returncode, seen


@pytest.mark.parametrize("encoding", ["ascii"])
async def test_signs_that_a_terminal_does_not_know_are_replaced(tmp_path: Path, encoding: str) -> None:
    async with company(tmp_path, size="empty", counts={"invoices": 3}, limits=False) as (_, program):
        program.sections |= {"limits": NO_LIMITS, "mirror_collections": invoices_only()}
        program.environment["PYTHONIOENCODING"] = encoding
        program.write()
        code, seen = await anyio.to_thread.run_sync(on_a_terminal, program, "--once")
        assert (code, b"Traceback" in seen, b"complete and up to date" in seen) == (0, False, True), seen
        quiet = await program.once("--quiet")
        assert (quiet.code, quiet.stdout, quiet.stderr) == (0, "", ""), "nothing needs anybody"
        told = await program.once("--json")
        assert (told.code, told.stderr) == (0, "")
        assert json.loads(told.stdout)["collections"]["invoices"]["listed"] == 3


async def test_what_was_closed_or_is_full_brings_no_traceback(tmp_path: Path) -> None:
    async with company(tmp_path, size="empty", counts={"invoices": 3}, limits=False) as (_, program):
        program.sections |= {"limits": NO_LIMITS, "mirror_collections": invoices_only()}
        program.write()
        assert (await redirected(program, "--once", ">&-")).code == 0
        full = await anyio.to_thread.run_sync(with_a_full_disk, program, "--once")
        assert full.code == 0
        assert full.stderr.count("the log cannot be written") == 1
        assert (await redirected(program, "status", ">&- 2>&-")).code == 0
        for command in ("status", "--help"):
            full = await anyio.to_thread.run_sync(with_a_full_disk, program, command)
            assert (full.code, "cannot be written: no space left" in full.stderr) == (1, True), command
            assert "Traceback" not in full.stderr


async def test_what_fails_beside_a_process_shows_what_that_had_said(tmp_path: Path) -> None:
    program = Program(tmp_path, "http://127.0.0.1:1")

    async def fail() -> None:
        async with program.running("status") as process:
            await process.wait()
            raise AssertionError(process.pid)

    with pytest.raises(AssertionError) as failed:
        await fail()
    [note] = failed.value.__notes__
    assert f"process {failed.value} had ended with 4" in note
    assert "its errors: …" in note
    assert "state.db" in note
