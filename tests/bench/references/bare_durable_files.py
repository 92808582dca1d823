"""Files with a bare aiohttp loop, ten at a time, hashed and made durable on threads: the least that keeping takes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import aiohttp


def keep(path: Path, pieces: list[bytes]) -> None:
    """A name of its own, fsync, its final name, fsync of the folder."""
    hashed, partial = hashlib.sha256(), path.with_suffix(".part")
    with partial.open("wb") as file:
        for piece in pieces:
            hashed.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


async def main(origin: str, names: list[str], target: Path) -> None:
    began = time.perf_counter()
    turns = asyncio.Semaphore(10)
    async with aiohttp.ClientSession(read_bufsize=2**20) as session:

        async def fetch(name: str) -> None:
            async with turns, session.get(f"{origin}/attachments/{name}") as answer:
                pieces = [piece async for piece in answer.content.iter_any()]
                await asyncio.to_thread(keep, target / name, pieces)

        await asyncio.gather(*map(fetch, names))
    print(json.dumps({"seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_text().split(), Path(sys.argv[3])))
