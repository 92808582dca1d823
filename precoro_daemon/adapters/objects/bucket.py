"""a bucket of attached files: each is spooled locally, checked, uploaded, and checked again"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path

import anyio

from precoro_daemon.adapters.objects.bucket_access import BucketAccess
from precoro_daemon.adapters.objects.bucket_client import BucketClient, open_client
from precoro_daemon.adapters.objects.bucket_failures import Missing, Taken
from precoro_daemon.adapters.objects.directory import MARK_FILE, DirectoryStore, open_directory
from precoro_daemon.adapters.objects.partial_file import LocalPartialFile, Site
from precoro_daemon.adapters.objects.paths import MANIFEST, PREFIX, partial_of
from precoro_daemon.errors import BucketUnusable, FolderUnusable
from precoro_daemon.files.ports.attachment_book import Kept, StoredFile
from precoro_daemon.files.ports.object_store import Capabilities

_CHECKS_AT_ONCE = 8
_LONGEST_KEY_BYTES = 1024


class SpooledFile(LocalPartialFile):
    """Implements `ports.PartialFile`: the file is in the spool until it is complete, then in the bucket. One task at
    a time.
    """

    def __init__(self, site: Site, spool: Path, client: BucketClient, path: str, *, take_up: int) -> None:
        super().__init__(site, take_up=take_up)
        self._file_path = spool / partial_of(site.path)
        self._client = client
        self._path = path
        self._replaces = site.replaces

    async def keep(self) -> Kept:
        content, sha256 = await self.held_whole() or (self._file_path, await self.hashed())
        kept = Kept(self._path, self.length, sha256)
        if not self._client.guards(self.length):
            await _refuse_others(self._client, self._path, replaces=self._replaces)
        try:
            await self._client.write(kept, content, replaces=self._replaces)
        except Taken:
            # A request that was sent twice may have met its own first try.
            if await self._client.digest(self._path) != (kept.length, sha256):
                raise _in_the_way(self._client, self._path) from None
        await self._client.confirm(self._path, kept.length, sha256)
        self._settled = False  # what is in the spool is not needed any more
        return kept


class BucketStore:
    """Implements `ports.ObjectStore`."""

    capabilities = Capabilities(manifest=False, links=False, sweeps=True)

    def __init__(self, client: BucketClient, spool: DirectoryStore) -> None:
        self._client = client
        self._spool = spool

    async def room(self) -> int:
        return await self._spool.room()

    async def in_the_way(self, paths: Sequence[str]) -> Mapping[str, bytes | None]:
        found: dict[str, bytes | None] = {}
        blocked: list[BucketUnusable] = []
        limiter = anyio.CapacityLimiter(_CHECKS_AT_ONCE)

        async def check(path: str) -> None:
            async with limiter:
                try:
                    if await self._client.facts(path) is not None and (read := await self._client.digest(path)):
                        found[path] = read[1]
                except BucketUnusable as error:
                    blocked.append(error)
                    group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for path in paths:
                group.start_soon(check, path, name=f"check {path}")
        if blocked:
            raise blocked[0]
        return found

    def partial_file(self, path: str, *, take_up: int = 0, replaces: bool = False) -> SpooledFile:
        if len(self._client.key(path).encode()) > _LONGEST_KEY_BYTES:
            raise FolderUnusable(f"{self._client.access}/{path}: a key has at most {_LONGEST_KEY_BYTES:,} bytes")
        site = self._spool.site(spooled(path), replaces=replaces)
        return SpooledFile(site, self._spool.directory, self._client, path, take_up=take_up)

    async def link(self, kept: Kept, path: str, *, replaces: bool = False) -> Kept | None:
        """Lets the store copy the object, so that Precoro is not asked again."""
        if await self._client.digest(kept.path) != (kept.length, kept.sha256):
            return None
        if kept.path != path:
            await _refuse_others(self._client, path, replaces=replaces)
            try:
                await self._client.copy(kept.path, path)
            except Missing:
                return None
            await self._client.confirm(path, kept.length, kept.sha256)
        return Kept(path, kept.length, kept.sha256)

    async def hash(self, path: str) -> tuple[int, bytes] | None:
        return await self._client.digest(path)

    async def manifest_end(self) -> int:
        return 0

    async def write_manifest(self, lines: Sequence[StoredFile], *, anew: bool) -> None:
        """Does nothing: an object cannot be appended to, and rewriting it in every lap costs more than the files."""

    async def drop_partials(self, *, but: Collection[str]) -> int:
        return await self._spool.drop_partials(but=[spooled(path) for path in but])

    async def paths(self) -> AsyncIterator[Sequence[str]]:
        async for some in self._client.paths():
            yield [path for path in some if path != MANIFEST and not path.rpartition("/")[2].startswith(PREFIX)]


def spooled(path: str) -> str:
    """Returns a file's path in the spool. All share one folder, so that no empty folders are left behind."""
    number = int.from_bytes(blake2b(path.encode(), digest_size=8).digest())
    return f"parts/{number}__"


async def _refuse_others(client: BucketClient, path: str, *, replaces: bool) -> None:
    """Raises FolderUnusable if the path holds an object that is not ours: it is never overwritten."""
    if not replaces and await client.facts(path) is not None:
        raise _in_the_way(client, path)


def _in_the_way(client: BucketClient, path: str) -> FolderUnusable:
    return FolderUnusable(f"{client.access}/{path}: something of that name is in the way")


@asynccontextmanager
async def open_bucket(
    access: BucketAccess, spool: Path, *, identity: str, reserve: int
) -> AsyncIterator[BucketStore]:
    """Opens the bucket and its spool, and locks the spool against every other process of this machine.

    `identity` is the hash of the company that owns the files; `reserve` bytes of the spool's disk stay free. Raises
    FolderUnusable, BucketUnusable.
    """
    async with open_directory(spool, identity=identity, reserve=reserve) as local:
        client = await open_client(access)
        await _mark(client, identity)
        yield BucketStore(client, local)


async def _mark(client: BucketClient, identity: str) -> None:
    """Writes the owner's mark, or reads it. Writing it a second time shows whether the store supports conditional
    writes.
    """
    with_it = f"{identity}\n".encode()
    try:
        owner = await client.read_small(MARK_FILE)
    except Missing:
        owner = with_it
        try:
            await client.write_small(MARK_FILE, with_it)
        except Taken:
            owner = await client.read_small(MARK_FILE)
    if owner != with_it:
        raise FolderUnusable(
            f"{client.access}: it holds the files of another company; give every configuration a prefix of its own"
        )
    try:
        await client.write_small(MARK_FILE, with_it)
    except Taken:
        client.guards_new = True
