"""`python -m tests.bench.exports_pushed FOLDER`: pushes documents to a receiver here; writes how long it took."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from precoro_daemon.adapters.exports.signed_pushes import Address, open_receiver
from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.adapters.state.view_rows import tables
from precoro_daemon.exports.push_records import PushRecords
from tests.contracts.companies import founded, mirrored

_INVOICES = 5_000


async def push(folder: Path) -> None:
    app = web.Application()
    app.router.add_post("/hook", _take)
    async with TestServer(app) as server, SqliteState(folder / "state.db", "company").open() as store:
        await mirrored(store, founded(invoices=_INVOICES, suppliers=100, users=20))
        address = Address(str(server.make_url("/hook")), (b"k" * 32,), ("127.0.0.1",), 15.0, in_flight=16)
        export = PushRecords(
            name="shop",
            feed=store.export_feed,
            book=store.push_book,
            tables=[tables()[name] for name in ("invoices", "credit_notes", "suppliers")],
            receivers=lambda: open_receiver(address, "[exports.shop]"),
            clock=RealClock(),
            receiver=address.fingerprint,
            give_up_after=3600.0,
        )
        began = time.perf_counter()
        count = await export.follow()
        seconds = time.perf_counter() - began
        (folder / "seconds").write_text(str(seconds))
        (folder / "count").write_text(str(count))


async def _take(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=204)


if __name__ == "__main__":
    asyncio.run(push(Path(sys.argv[1])))
