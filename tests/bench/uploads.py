"""Attached files to a bucket, spooled, hashed and looked at, beside obstore alone with the same server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import obstore

from precoro_daemon.adapters.objects.bucket import open_bucket
from precoro_daemon.adapters.objects.bucket_access import connect
from tests.adapters.objects.s3 import access_to, rclone, rclone_binary
from tests.bench.figures import Line, faster
from tests.bench.processes import ROOT, SERVER_CORE, in_turn, medians

_FILES = 300
_CONTENT = os.urandom(1_000_000)
_AT_ONCE = 8
_CHUNK = 100_000
_PATIENCE_S = 60.0
_ROUNDS = 3
_MOTO = """
import time
from tests.adapters.objects.s3 import moto
with moto() as origin:
    print(origin, flush=True)
    time.sleep(3600)
"""


def many(folder: Path) -> Iterator[Line]:
    """300 files of 1 MB."""
    server = "rclone serve s3" if rclone_binary() else "moto"
    with _served(folder) as origin:
        contenders = {
            "bare": lambda: asyncio.run(_bare(origin, look=False)),
            "looking": lambda: asyncio.run(_bare(origin, look=True)),
            "ours": lambda: asyncio.run(_ours(origin, folder)),
        }
        found = medians(in_turn(_ROUNDS, contenders))
    yield faster("300 files of 1 MB to a bucket", found["ours"], f"obstore alone, {server}", found["bare"], 0.8)
    does = f"obstore with a HEAD after each, {server}"
    yield faster("  times faster than obstore that looks", found["ours"], does, found["looking"], 0.8)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """A server in a process of its own; moto on the core of servers."""
    if rclone_binary():
        with rclone(folder) as origin:
            yield origin
        return
    with subprocess.Popen([sys.executable, "-c", _MOTO], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        os.sched_setaffinity(process.pid, {SERVER_CORE})
        try:
            assert process.stdout is not None
            yield next(line.strip() for line in process.stdout if line.startswith("http"))
        finally:
            process.kill()


async def _bare(origin: str, *, look: bool) -> float:
    store, prefix = connect(access_to(origin, timeout=_PATIENCE_S)), f"bare{time.monotonic_ns()}"

    async def one(number: int) -> None:
        await obstore.put_async(store, f"{prefix}/{number}", _CONTENT)
        if look:
            await obstore.head_async(store, f"{prefix}/{number}")

    return await _timed(one)


async def _ours(origin: str, folder: Path) -> float:
    access = access_to(origin, f"ours{time.monotonic_ns()}", timeout=_PATIENCE_S)
    async with open_bucket(access, folder / "spool", identity="company", reserve=0) as store:

        async def one(number: int) -> None:
            async with store.partial_file(f"invoices/{number}/{number}__a.pdf") as partial:
                for start in range(0, len(_CONTENT), _CHUNK):
                    await partial.write(_CONTENT[start : start + _CHUNK])
                await partial.keep()

        return await _timed(one)


async def _timed(one: Callable[[int], Awaitable[object]]) -> float:
    room = asyncio.Semaphore(_AT_ONCE)

    async def taken(number: int) -> None:
        async with room:
            await one(number)

    began = time.perf_counter()
    await asyncio.gather(*map(taken, range(_FILES)))
    return time.perf_counter() - began
