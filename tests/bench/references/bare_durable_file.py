"""Large files with a bare aiohttp loop, hashed and written as they come and made durable at the end, one by one."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import aiohttp


async def main(origin: str, names: list[str], target: Path) -> None:
    began = time.perf_counter()
    async with aiohttp.ClientSession(read_bufsize=2**20) as session:
        for name in names:
            hashed, partial = hashlib.sha256(), target / f"{name}.part"
            async with session.get(f"{origin}/attachments/{name}") as answer:
                with partial.open("wb") as file:
                    async for piece in answer.content.iter_any():
                        hashed.update(piece)
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
            partial.rename(target / name)
            folder = os.open(target, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
    print(json.dumps({"seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_text().split(), Path(sys.argv[3])))
