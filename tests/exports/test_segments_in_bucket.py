"""An export into a bucket that is cut off at any of its requests: nothing half there, and then it is the mirror."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path

import anyio.to_thread
import obstore
import pyarrow.parquet as pq
import pytest

from precoro_daemon.adapters.objects.bucket import open_bucket
from precoro_daemon.adapters.objects.bucket_access import connect
from precoro_daemon.errors import BucketUnusable
from precoro_daemon.files.ports.object_store import ObjectStore
from tests.adapters.objects.gate import Answer, Asked, Gate, gate_to
from tests.adapters.objects.s3 import access_to
from tests.contracts.listing import listed, record
from tests.exports.test_segments import Scene, first, more

_FILES = 6
"""Of a snapshot and of what follows it: two tables and a manifest each."""

_STRIDE = 3
"""Every third request, which costs a third of the time; each kind of request is among them."""

_REFUSED = Answer(400, "InvalidRequest", "cut off")


class InBucket(Scene):
    """The same in a bucket; what is there is compared in a copy of it."""

    def __init__(self, folder: Path, origin: str, prefix: str) -> None:
        super().__init__(folder, ["invoices", "payments"])
        self.access = access_to(origin, prefix)

    def place(self) -> AbstractAsyncContextManager[ObjectStore]:
        return open_bucket(self.access, self.folder / "spool", identity="company", reserve=0)

    def fetch(self) -> int:
        """How many files of the export are there, each of them whole."""
        shutil.rmtree(self.lake, ignore_errors=True)
        client, found = connect(self.access), 0
        for some in obstore.list(client, self.access.prefix):
            for one in some:
                path = self.lake / one["path"].removeprefix(f"{self.access.prefix}/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(bytes(obstore.get(client, one["path"]).bytes()))
                found += self._is_whole(path)
        return found

    @staticmethod
    def _is_whole(path: Path) -> bool:
        if path.suffix == ".parquet":
            assert pq.read_table(path).num_rows >= 0
        elif "manifest" in path.parts:
            assert json.loads(path.read_text())["files"]
        else:
            return False
        return True

    def _compare(self) -> None:
        self.fetch()
        super()._compare()


class Cut:
    """Refuses everything from a request on; late: after that one was carried out."""

    def __init__(self, gate: Gate, at: int, *, late: bool) -> None:
        self.at, self.late, self.requests = at, late, 0
        gate.before, gate.after = self._before, self._after

    def _before(self, _: Asked) -> Answer | None:
        self.requests += 1
        return _REFUSED if self.requests > self.at or (self.requests == self.at and not self.late) else None

    def _after(self, _: Asked) -> Answer | None:
        return _REFUSED if self.requests == self.at and self.late else None


@pytest.fixture
def gate(s3: str) -> Iterator[Gate]:
    with gate_to(s3) as gate:
        yield gate


@pytest.mark.asyncio
async def test_cut_off_at_any_request_nothing_is_half_there(tmp_path: Path, gate: Gate) -> None:
    """Before a request or, each second time, after it: what is there then is as before the next one."""
    for step in count(1, _STRIDE):
        folder = tmp_path / str(step)
        folder.mkdir()
        scene = InBucket(folder, gate.origin, f"lake{step}")
        died = await _is_cut_off(scene, Cut(gate, step, late=step % 2 == 0))
        gate.before = gate.after = lambda _: None
        found = await anyio.to_thread.run_sync(scene.fetch)
        await scene.follow(before=lambda store: listed(store.mirror, record(70, sum="70.00")))
        await scene.compare()
        if not died:
            break
    assert found == _FILES
    assert step > 3 * _FILES, "it was cut off at more requests than there are files"


async def _is_cut_off(scene: InBucket, cut: Cut) -> bool:
    try:
        async with scene.life() as (store, export):
            await first(store)
            await export.follow()
            await more(store)
            await export.follow()
    except BucketUnusable:
        assert cut.requests >= cut.at
        return True
    return False
