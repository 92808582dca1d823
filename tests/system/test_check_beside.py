"""`check` beside the running service: the service makes the call, and what it holds is not taken from it."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from precoro_daemon.sandbox import SandboxOptions, serve
from tests.system.program import NO_LIMITS, Program, terminate

pytestmark = pytest.mark.asyncio


async def test_check_asks_the_service_for_what_it_holds(tmp_path: Path) -> None:
    sections = {"limits": NO_LIMITS, "fetch_attachments": {"directory": "files", "reserve_bytes": 0}}
    async with serve(SandboxOptions(size="empty", counts={"invoices": 9}, limits=False)) as sandbox:
        program = Program(tmp_path, sandbox.url, sections=sections)
        async with program.running("run") as service:
            with anyio.fail_after(60):
                while not await anyio.Path(f"{program.state}.control").exists():  # noqa: ASYNC110 - of another process
                    await anyio.sleep(0.05)
            examined = await program.run("doctor")
            assert (examined.code, "order of lists: " in examined.stdout) == (0, True), examined
            assert "The configuration fits." in examined.stdout
            before = sandbox.journal.total
            checked = await program.run("check")
            assert (checked.code, checked.stderr) == (0, "")
            assert f"go to {tmp_path}/files, which has room for" in checked.stdout
            assert f"{sandbox.url} accepts the key and shows it" in checked.stdout
            assert checked.stdout.endswith("(the service made the call)\n")
            assert sandbox.journal.total > before
            program.token = "another-key-of-ours"
            assert (await program.run("doctor")).code == 2
            refused = await program.run("check")
            assert (refused.code, "another key, e-mail or address: reload it" in refused.stderr) == (2, True)
            assert (await terminate(service, 30)).code == 0
        program.token = "sandbox-key"
        alone = await program.run("check")
        assert (alone.code, alone.stdout.endswith("accepts the key and shows it purchase orders\n")) == (0, True)
