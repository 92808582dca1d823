"""the requests to one bucket: head, read, write, copy, list"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from precoro_daemon.adapters.objects.bucket_access import BucketAccess, connect
from precoro_daemon.adapters.objects.bucket_failures import Missing, explained
from precoro_daemon.adapters.objects.failures import explained as spool_explained
from precoro_daemon.errors import DiskFault
from precoro_daemon.files.ports.attachment_book import Kept

if TYPE_CHECKING:
    from obstore import PutMode
    from obstore.store import ObjectStore

_DIGEST_BLOCK_BYTES = 4 * 2**20

_PART_BYTES = 5 * 2**20
"""The smallest part that S3 accepts. Content up to this size is sent in one request."""

_MOST_PARTS = 9_000
_PARTS_AT_ONCE = 2
_PATHS_A_LIST = 1_000

_UPLOAD_DRAIN_S = 8.0
"""Seconds in which a cancelled upload may finish or remove what it sent; a stop has 20 in all."""

_SHA256_KEY = "sha256"
_LENGTH_KEY = "length"


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """An object's metadata. Its SHA-256 is "" if none was stored with it."""

    size: int
    sha256: str


@dataclass(slots=True)
class BucketClient:
    """Every path is below the prefix. Raises BucketUnusable, and `Missing` and `Taken` where a method says so.

    guards_new  the store was seen to honour conditional writes, so they are used
    """

    access: BucketAccess
    _store: ObjectStore
    guards_new: bool = field(default=False)

    def key(self, path: str) -> str:
        return f"{self.access.prefix}/{path}" if self.access.prefix else path

    async def facts(self, path: str) -> ObjectFacts | None:
        import obstore

        try:
            with explained(self.access):
                found = await obstore.get_async(self._store, self.key(path), options={"head": True})
        except Missing:
            return None
        return ObjectFacts(found.meta["size"], str(found.attributes.get(_SHA256_KEY, "")))

    async def read_small(self, path: str) -> bytes:
        """Returns a small object's content. Raises Missing."""
        import obstore

        with explained(self.access):
            found = await obstore.get_async(self._store, self.key(path))
            return bytes(await found.bytes_async())

    async def write_small(self, path: str, content: bytes) -> None:
        """Writes a small object. Raises Taken if it exists and the store honours conditional writes."""
        import obstore

        with explained(self.access):
            await obstore.put_async(self._store, self.key(path), content, mode="create")

    async def digest(self, path: str) -> tuple[int, bytes] | None:
        """Reads the whole object and returns its length and SHA-256, None if it does not exist."""
        import obstore

        hashed, length = hashlib.sha256(), 0
        try:
            with explained(self.access):
                found = await obstore.get_async(self._store, self.key(path))
                async for block in found.stream(min_chunk_size=_DIGEST_BLOCK_BYTES):
                    await anyio.to_thread.run_sync(hashed.update, block)
                    length += len(block)
        except Missing:
            return None
        return length, hashed.digest()

    def guards(self, size: int) -> bool:
        """Returns whether the store itself refuses to overwrite an object of this size: only single requests are
        conditional.
        """
        return self.guards_new and size <= _PART_BYTES

    async def write(self, kept: Kept, content: bytes | Path, *, replaces: bool) -> None:
        """Writes the whole content, from memory or a file, or nothing. Raises Taken.

        A cancelled caller waits until the request has ended or the uploaded parts are removed, but at most
        `_UPLOAD_DRAIN_S`. After that, parts may remain for the bucket's lifecycle rule to remove.
        """
        stopped = Event()
        sending = asyncio.ensure_future(self._send(kept, content, replaces, stopped))
        try:
            with explained(self.access):
                await asyncio.shield(sending)
        except asyncio.CancelledError:
            stopped.set()
            with anyio.CancelScope(shield=True):
                await asyncio.wait([sending], timeout=_UPLOAD_DRAIN_S)
            raise
        finally:
            if not sending.done():
                sending.cancel()
            elif not sending.cancelled():
                sending.exception()  # it was asked for: nobody else will

    async def _send(self, kept: Kept, content: bytes | Path, replaces: bool, stopped: Event) -> None:
        import obstore

        key, size = self.key(kept.path), kept.length
        attributes = {_SHA256_KEY: kept.sha256.hex(), _LENGTH_KEY: str(size)}
        if isinstance(content, Path) and size <= _PART_BYTES:
            with spool_explained(content):
                content = await anyio.to_thread.run_sync(content.read_bytes)
        if not isinstance(content, Path):
            mode: PutMode = "create" if self.guards(size) and not replaces else "overwrite"
            await obstore.put_async(self._store, key, content, attributes=attributes, mode=mode, use_multipart=False)
            return
        part = max(_PART_BYTES, -(-size // _MOST_PARTS))
        await obstore.put_async(
            self._store,
            key,
            _blocks(content, part, stopped),
            attributes=attributes,
            chunk_size=part,
            max_concurrency=_PARTS_AT_ONCE,
        )

    async def confirm(self, path: str, length: int, sha256: bytes) -> None:
        """Checks an object that was written, by reading it if the store keeps no metadata. Raises DiskFault."""
        facts = await self.facts(path)
        good = facts is not None and facts.size == length and facts.sha256 in ("", sha256.hex())
        if good and facts is not None and not facts.sha256:
            good = await self.digest(path) == (length, sha256)
        if not good:
            raise DiskFault(f"{self.access}/{path}: what is there is not what was written; it is fetched again")

    async def copy(self, path: str, to: str) -> None:
        """Copies an object within the bucket. Raises Missing."""
        import obstore

        with explained(self.access):
            await obstore.copy_async(self._store, self.key(path), self.key(to))

    async def paths(self) -> AsyncIterator[Sequence[str]]:
        """Yields the paths of all objects below the prefix in batches."""
        import obstore

        cut = len(self.key(""))
        stream = obstore.list(self._store, prefix=self.access.prefix or None, chunk_size=_PATHS_A_LIST)
        while True:
            with explained(self.access):
                try:
                    some = await anext(stream)
                except StopAsyncIteration:
                    return
            yield [found["path"][cut:] for found in some]


class _StoppedError(Exception):
    """Raised inside an abandoned upload, so that the library removes the parts it sent."""


async def _blocks(file: Path, size: int, stopped: Event) -> AsyncIterator[bytes]:
    """Yields the file in blocks, and raises once the upload is abandoned.

    A store removes the parts of an upload whose source fails; those of a cancelled task would stay.
    """
    async with await anyio.open_file(file, "rb") as reader:
        while block := await reader.read(size):
            if stopped.is_set():
                raise _StoppedError
            yield block


async def open_client(access: BucketAccess) -> BucketClient:
    """Opens a client. Raises FolderUnusable, BucketUnusable."""
    return BucketClient(access, await anyio.to_thread.run_sync(partial(connect, access)))
