"""Every store of files there is, and how the contract suite looks into it from behind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import obstore
import pytest

from precoro_daemon.adapters.objects.bucket import open_bucket
from precoro_daemon.adapters.objects.bucket_access import BucketAccess, connect
from precoro_daemon.adapters.objects.directory import open_directory
from precoro_daemon.files.ports.object_store import ObjectStore
from tests.adapters.objects.azure import azure_access, azurite, azurite_program
from tests.adapters.objects.gcs import google, google_access, google_key
from tests.adapters.objects.s3 import access_to, rclone, rclone_binary


class Backend(Protocol):
    """A store, and what a person with another tool sees and does in it."""

    def open(self, identity: str = "company", reserve: int = 0) -> AbstractAsyncContextManager[ObjectStore]: ...

    def read(self, path: str) -> bytes | None: ...

    def put(self, path: str, content: bytes) -> None: ...

    def remove(self, path: str) -> None: ...

    def names(self) -> set[str]:
        """Of all but the program's mark, partial files included."""
        ...


class InDirectory:
    def __init__(self, folder: Path) -> None:
        self.root = folder / "files"

    def open(self, identity: str = "company", reserve: int = 0) -> AbstractAsyncContextManager[ObjectStore]:
        return open_directory(self.root, identity=identity, reserve=reserve)

    def read(self, path: str) -> bytes | None:
        return (self.root / path).read_bytes() if (self.root / path).exists() else None

    def put(self, path: str, content: bytes) -> None:
        self.remove(path)
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(content)

    def remove(self, path: str) -> None:
        (self.root / path).unlink(missing_ok=True)

    def names(self) -> set[str]:
        found = {path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()}
        return found - {".precoro-daemon"}


class InBucket:
    """A person's tool is the library itself, which signs what it asks."""

    def __init__(self, folder: Path, access: BucketAccess) -> None:
        self.spool = folder / "spool"
        self.access = access
        self._tool = connect(self.access)

    def open(self, identity: str = "company", reserve: int = 0) -> AbstractAsyncContextManager[ObjectStore]:
        return open_bucket(self.access, self.spool, identity=identity, reserve=reserve)

    def _key(self, path: str) -> str:
        return f"{self.access.prefix}/{path}"

    def read(self, path: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._tool, self._key(path)).bytes())
        except FileNotFoundError:
            return None

    def put(self, path: str, content: bytes) -> None:
        obstore.put(self._tool, self._key(path), content)

    def remove(self, path: str) -> None:
        obstore.delete(self._tool, self._key(path))

    def names(self) -> set[str]:
        keys = {found["path"] for found in obstore.list(self._tool, prefix=self.access.prefix).collect()}
        spooled = {path.name for path in self.spool.rglob("*.part")} if self.spool.exists() else set()
        return {key.removeprefix(self._key("")) for key in keys} - {".precoro-daemon"} | spooled


BACKENDS = ("directory", "moto", "rclone", "azurite", "google")


@pytest.fixture(scope="session")
def served_by_rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if rclone_binary() is None:
        pytest.skip("rclone is not installed")
    with rclone(tmp_path_factory.mktemp("rclone")) as origin:
        yield origin


@pytest.fixture(scope="session")
def served_by_azurite() -> Iterator[str]:
    if azurite_program() is None:
        pytest.skip("Azurite is not installed")
    with azurite() as origin:
        yield origin


@pytest.fixture(scope="session")
def served_as_google(s3: str) -> Iterator[str]:
    with google(s3) as origin:
        yield origin


def backend_of(name: str, folder: Path, request: Any) -> Backend:
    if name == "directory":
        return InDirectory(folder)
    served, access = {
        "moto": ("s3", access_to),
        "rclone": ("served_by_rclone", access_to),
        "azurite": ("served_by_azurite", azure_access),
        "google": ("served_as_google", partial(google_access, key=google_key(folder))),
    }[name]
    return InBucket(folder, access(request.getfixturevalue(served), uuid.uuid4().hex))
