"""The job of files between a server that may do anything, a real store and a real directory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.downloads import Downloads
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.adapters.http.session import HttpSession
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.adapters.objects.directory import open_directory
from precoro_daemon.adapters.precoro.attachments import PrecoroAttachments
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.files.fetch_attachments import FetchAttachments
from precoro_daemon.files.follow_details import attachment_follower
from precoro_daemon.files.ports.attachment_book import WantedFiles
from precoro_daemon.mirror.ports.change_log import follow
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.cursors import Page, Scan
from precoro_daemon.mirror.rules.documents import read_record
from precoro_daemon.quota.limits import Limits
from precoro_daemon.status.progress import Silent

LIFTED = Limits(0, 0, 0, 0, 0, 0)
COLLECTION = "invoices"


@dataclass(frozen=True)
class Filing:
    """One process's worth of the job."""

    job: FetchAttachments
    store: Store
    directory: Path


@asynccontextmanager
async def filing(
    directory: Path, origin: str, *, timeout: float = 5.0, max_bytes: int = 10**10, in_flight: int = 8
) -> AsyncIterator[Filing]:
    credentials = Credentials(origin, token="t0ken", email="api@example.org")
    timeouts = Timeouts(total=timeout, connect=timeout, read=timeout)
    clock = RealClock()
    async with (
        SqliteState(directory / "state.db", "company").open() as store,
        HttpSession(credentials, timeouts) as session,
        Throttled(session, credentials, LIFTED, GateDependencies(store.budget_book, clock, Silent())) as throttled,
        Downloads([origin.removeprefix("http://")], timeouts) as downloads,
    ):
        job = FetchAttachments(
            source=PrecoroAttachments(throttled, downloads, origin),
            log=store.change_log,
            book=store.attachments,
            mirror=store.mirror,
            stores=partial(open_directory, directory / "files", identity="company", reserve=0),
            clock=clock,
            progress=Silent(),
            wanted=WantedFiles((COLLECTION,), max_bytes),
            in_flight=in_flight,
            patience=timeout,
        )
        yield Filing(job, store, directory / "files")


async def name_files(store: Store, files: Mapping[int, dict[str, Any]]) -> None:
    """One document that names all these files, as if its detail had been fetched."""
    row = read_record(json.dumps({"id": 1, "idn": 1}).encode())
    await store.mirror.commit_pages(Scan(COLLECTION, "whole"), [Page(1, [row], total=1, server_time=1.75e9)])
    [due] = await store.mirror.due_details([COLLECTION], before=1e12, limit=1)
    named = [{"id": id_, "name": f"{id_}.pdf"} | fields for id_, fields in files.items()]
    await store.mirror.save_detail(due, Detail(1, json.dumps({"id": 1, "attachments": named})), at=1.75e9)


async def read_names(store: Store) -> None:
    """As a lap does at its beginning: what details name is due from now on."""
    await follow(store.change_log, attachment_follower(store.attachments), 10)


def kept_in(directory: Path) -> dict[int, bytes]:
    """Content by attachment id of what bears a final name."""
    paths = [path for path in directory.rglob("*__*") if path.is_file()]
    return {int(path.name.partition("__")[0]): path.read_bytes() for path in paths}
