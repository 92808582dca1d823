"""The program from the outside with its state on a real PostgreSQL: runs, looks at itself, is killed, and goes on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import anyio.to_thread
import psycopg
import pytest

from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from tests.adapters.state.postgresql.clusters import cluster_in, short_directory
from tests.mirror.comparing import truth_of
from tests.system.program import NO_LIMITS, Program, finish, terminate

pytestmark = pytest.mark.asyncio

COUNTS = "SELECT count(*), count(DISTINCT id) FROM {}.records WHERE collection = 'invoices' AND vanished_at IS NULL"


def on_postgresql(directory: Path, origin: str, postgres: str, schema: str) -> Program:
    url = f"postgresql://postgres@{quote(postgres, safe='')}/states"
    sections: dict[str, dict[str, Any]] = {
        "state": {"url": url, "schema_name": schema},
        "limits": NO_LIMITS,
        "mirror_collections": {"collections": ["invoices", "suppliers"], "per_page": 10},
    }
    return Program(directory, origin, sections=sections)


def asked(state_database: str, statement: str) -> tuple[Any, ...] | None:
    with psycopg.connect(state_database) as connection:
        return connection.execute(statement.encode()).fetchone()


async def test_a_company_is_mirrored_looked_at_and_run_again(
    tmp_path: Path, postgres: str, state_database: str
) -> None:
    async with serve(SandboxOptions(limits=False)) as sandbox:
        program = on_postgresql(tmp_path, sandbox.url, postgres, "once")
        first = await program.once()
        assert (first.code, first.stderr) == (0, "")
        again = await program.once()
        assert (again.code, again.stderr) == (0, "")
        there = len(truth_of(sandbox, "invoices").rows)
        assert asked(state_database, COUNTS.format("once")) == (there, there)
        status = await program.run("status", "--json")
        assert status.code == 0
        assert json.loads(status.stdout)["collections"]["invoices"]["records"] == there
        checked = await program.run("check")
        assert re.search(r"/states is there \(schema once, PostgreSQL \d+\.\d+.*, not encrypted\)", checked.stdout)
        assert f"daemon.control_socket: {tmp_path}/once.control" in checked.stdout
        refused = await program.run("state", "backup", "copy.db")
        assert refused.code == 4
        assert "pg_dump --format=custom --schema=once" in refused.stderr
        moved = await program.run("state", "move", "--to", f"sqlite:///{tmp_path}/back.db")
        assert (moved.code, moved.stderr) == (0, "")
        assert f'url = "sqlite:///{tmp_path}/back.db"' in moved.stdout
        gone = await program.once()
        assert gone.code == 4
        assert f"was moved to {tmp_path}/back.db on" in gone.stderr


async def test_killed_in_the_middle_it_goes_on_where_it_was(
    tmp_path: Path, postgres: str, state_database: str
) -> None:
    async with serve(SandboxOptions(limits=False, latency=0.05)) as sandbox:
        program = on_postgresql(tmp_path, sandbox.url, postgres, "killed")
        async with program.running("--once") as process:
            while len(sandbox.journal) < 6:  # noqa: ASYNC110 - another process makes it happen
                await anyio.sleep(0.01)
            held = await program.once()
            assert held.code == 7
            assert "is held by precoro-daemon, process" in held.stderr
            process.kill()
            await finish(process)
        done = await program.once()
        assert (done.code, done.stderr) == (0, "")
        there = len(truth_of(sandbox, "invoices").rows)
        assert asked(state_database, COUNTS.format("killed")) == (there, there)


@pytest.mark.waits
async def test_the_server_is_stopped_under_a_run_and_under_a_service_which_goes_on_by_itself() -> None:
    with short_directory() as directory, cluster_in(directory / "server") as server:
        server.rows("CREATE DATABASE states")
        (place := directory / "work").mkdir()
        async with serve(SandboxOptions(limits=False, latency=0.05, time_scale=60)) as sandbox:
            program = on_postgresql(place, sandbox.url, str(server.directory), "stopped")
            program.sections["limits"] = NO_LIMITS | {"time_scale": 60.0}
            program.sections["mirror_collections"]["every"] = "1m"
            async with program.running("--once") as process:
                await until_called(sandbox, 6)
                await anyio.to_thread.run_sync(server.stop)
                cut_off = await finish(process)
            assert cut_off.code == 1
            assert re.search(r"^precoro-daemon: The (connection|server) .*\.$", cut_off.stderr)
            assert cut_off.stderr.count("\n") == 1
            down = await program.once()
            assert (down.code, down.stderr.count("\n")) == (1, 1)
            assert re.search(r"The server of the state .* cannot be reached: .*\. Start it, or check", down.stderr)
            await anyio.to_thread.run_sync(server.start)
            async with program.running("run") as process:
                await until_called(sandbox, 6)
                await anyio.to_thread.run_sync(server.stop)
                await anyio.sleep(2)
                calls = sandbox.journal.total
                await anyio.sleep(3)
                assert sandbox.journal.total == calls, "nothing is asked that could not be kept"
                await anyio.to_thread.run_sync(server.start)
                await until_called(sandbox, 6)
                ended = await terminate(process, within=30)
            assert (ended.code, ended.stderr) == (0, "")


async def until_called(sandbox: Sandbox, times: int) -> None:
    """So many times more."""
    wanted = sandbox.journal.total + times
    with anyio.fail_after(120):
        while sandbox.journal.total < wanted:  # noqa: ASYNC110 - another process makes it happen
            await anyio.sleep(0.02)
