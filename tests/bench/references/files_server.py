"""Files over HTTP as fast as aiohttp can: `/attachments/N` and, for mirroring tools, a page of links at `/list/`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiohttp import web


async def main(folder: Path, names: list[str]) -> None:
    page = "".join(f'<a href="{name}">{name}</a>\n' for name in names)

    async def links(_: web.Request) -> web.Response:
        return web.Response(text=f"<html><body>{page}</body></html>", content_type="text/html")

    async def file(request: web.Request) -> web.FileResponse:
        return web.FileResponse(folder / request.match_info["name"], chunk_size=2**20)

    app = web.Application()
    app.add_routes([web.get("/list/", links), web.get("/list/{name}", file), web.get("/attachments/{name}", file)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    where = Path(sys.argv[1])
    asyncio.run(main(where, sorted(path.name for path in where.iterdir())))
