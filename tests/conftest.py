"""What every test runs under: no blocking call on the event loop, repeatable properties, canned answers that work."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator, Iterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import aioresponses.core
import psycopg
import pytest
from blockbuster import blockbuster_ctx
from hypothesis import settings

from precoro_daemon.telemetry import get_logger
from tests.adapters.objects.s3 import moto
from tests.contracts.ledgers.servers import mariadb_in, mariadb_missing, postgres_in

pytest_plugins = ["tests.side_by_side"]

# The program is started hundreds of times; compiling all of it each time would be a third of that. Tests too are
# compiled once, and not by each worker.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

get_logger().bind()  # structlog is loaded with the first line, which would be a blocking call in some test


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays to the end: no search for garbage looks at it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


# `make test` draws the same examples every time, so a red run is the change's own doing. The other profile
# (pytest --hypothesis-profile=sweep) searches on, and keeps what failed in .hypothesis to try it first next time.
settings.register_profile("ci", deadline=None, print_blob=True, max_examples=30, derandomize=True)
settings.register_profile("sweep", deadline=None, print_blob=True, max_examples=2_000)
settings.load_profile("ci")


@pytest.fixture(autouse=True, scope="session")
def nothing_blocks_the_loop() -> Iterator[None]:
    """A blocking call of ours on a thread that runs an event loop raises BlockingError.

    The sandbox is left out: it is a stand-in for another machine, and reads its one page of HTML when it is asked.
    """
    with blockbuster_ctx("precoro_daemon", excluded_modules=["precoro_daemon.sandbox"]) as guard:
        for function in guard.functions.values():
            # In virtual time the store's thread is the loop's own.
            function.can_block_in("tests/payments/world.py", {"emptied_database"})
        yield


class _CannedResponse(aiohttp.ClientResponse):
    """aioresponses 0.7.9 builds responses without the `stream_writer` that aiohttp 3.14 asks for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, stream_writer=SimpleNamespace(output_size=0), **kwargs)  # type: ignore[arg-type]


aioresponses.core.ClientResponse = _CannedResponse


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres_in(tmp_path_factory.mktemp("pg")) as directory:
        yield directory


@pytest.fixture(scope="session")
def state_database(postgres: str) -> str:
    """The address of a database for states on the same server. Nobody cuts the power in these tests."""
    url = f"postgresql://postgres@/states?host={postgres}"
    with psycopg.connect(url.replace("/states", "/postgres"), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE states")
        connection.execute("ALTER DATABASE states SET synchronous_commit = off")
    return url


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if reason := mariadb_missing():
        pytest.skip(reason)
    with mariadb_in(tmp_path_factory.mktemp("my")) as path:
        yield path


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with moto() as origin:
        yield origin
