"""Laps of the job of files to a bucket, each in a process that may be killed; then the next lap, and a look.

For every prefix that is read: the pid of the lap's process, "killed" or "ended", "good" when all is as it must be.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import obstore

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.objects.bucket import open_bucket
from precoro_daemon.adapters.objects.bucket_access import BucketAccess, connect
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.files.fetch_attachments import FetchAttachments
from precoro_daemon.files.ports.attachment_book import WantedFiles
from precoro_daemon.files.rules.bodies import Part
from precoro_daemon.files.verify_attachments import VerifyAttachments
from precoro_daemon.status.progress import Silent
from tests.adapters.objects.s3 import access_to
from tests.files.filing import COLLECTION, name_files

CONTENT = {7: b"%PDF-" + b"small" * 1_000 + b"%%EOF", 8: b"%PDF-" + b"large " * 900_000 + b"%%EOF"}


class Whole:
    """A file from memory."""

    def __init__(self, content: bytes) -> None:
        self.start, self.length, self.framed, self.as_file, self.validator = 0, len(content), True, True, ""
        self._pieces = [content]

    async def piece(self) -> bytes:
        return self._pieces.pop() if self._pieces else b""


class Source:
    """Implements `ports.AttachmentSource`."""

    @asynccontextmanager
    async def open(self, attachment: int, part: Part | None, size: int | None) -> AsyncIterator[Whole]:
        yield Whole(CONTENT[attachment])


async def name(folder: Path) -> None:
    async with SqliteState(folder / "state.db", "company").open() as store:
        await name_files(store, {id_: {"size": len(content)} for id_, content in CONTENT.items()})


async def lap(folder: Path, access: BucketAccess) -> None:
    async with SqliteState(folder / "state.db", "company").open() as store:
        stores = partial(open_bucket, access, folder / "spool", identity="company", reserve=0)
        job = FetchAttachments(
            source=Source(),
            log=store.change_log,
            book=store.attachments,
            mirror=store.mirror,
            stores=stores,
            clock=RealClock(),
            progress=Silent(),
            wanted=WantedFiles((COLLECTION,), 10**9),
            in_flight=1,
            patience=10,
        )
        report = await job.lap()
        assert not report.failed, report


async def look(folder: Path, access: BucketAccess, *, complete: bool) -> None:
    """What bears a final name is whole; what is recorded is there."""
    tool = connect(access)
    for found in obstore.list(tool, prefix=f"{access.prefix}/invoices").collect():
        number = int(found["path"].rpartition("/")[2].partition("__")[0])
        assert bytes(obstore.get(tool, found["path"]).bytes()) == CONTENT[number], found
    async with (
        SqliteState(folder / "state.db", "company").open() as store,
        open_bucket(access, folder / "spool", identity="company", reserve=0) as bucket,
    ):
        verdict = await VerifyAttachments(store.attachments, bucket, RealClock()).run(1)
    assert verdict.all_good, verdict
    assert not complete or (verdict.good.files == len(CONTENT) and not verdict.orphans), verdict


def forked(work: Callable[[], Coroutine[None, None, None]], go: int | None = None) -> int:
    """The pid of a process that does it, once it may."""
    child = os.fork()
    if child:
        return child
    try:
        if go is not None:
            os.read(go, 1)
        asyncio.run(work())
    except BaseException:  # noqa: BLE001 - the process ends here, whatever it was
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def main(origin: str, root: Path) -> None:
    for line in sys.stdin:
        folder, access = root / line.strip(), access_to(origin, line.strip())
        folder.mkdir()
        go, ready = os.pipe()
        os.waitpid(forked(partial(name, folder)), 0)
        child = forked(partial(lap, folder, access), go)
        print(child, flush=True)
        sys.stdin.readline()
        os.write(ready, b"!")
        status = os.waitpid(child, 0)[1]
        print("killed" if os.WIFSIGNALED(status) else "ended", flush=True)
        after = (
            partial(look, folder, access, complete=False),
            partial(lap, folder, access),
            partial(look, folder, access, complete=True),
        )
        results = [os.waitpid(forked(work), 0)[1] for work in after]
        print("good" if not any(results) else f"bad {results}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
