"""Files with a bare aiohttp loop, ten at a time, written as they come: no hash, no fsync, no checks."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import aiohttp


async def main(origin: str, names: list[str], target: Path) -> None:
    began = time.perf_counter()
    turns = asyncio.Semaphore(10)
    async with aiohttp.ClientSession(read_bufsize=2**20) as session:

        async def fetch(name: str) -> None:
            async with turns, session.get(f"{origin}/attachments/{name}") as answer:
                with (target / name).open("wb") as file:
                    async for piece in answer.content.iter_any():
                        file.write(piece)

        await asyncio.gather(*map(fetch, names))
    print(json.dumps({"seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_text().split(), Path(sys.argv[3])))
