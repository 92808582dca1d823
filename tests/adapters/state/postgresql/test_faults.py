"""What a server of the state can do wrong: each is said in a sentence with what to do, and nothing is sent by it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import errors
from psycopg_pool import PoolTimeout

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.postgresql.failures import said, unreached
from precoro_daemon.adapters.state.postgresql.server import Server, pooled
from precoro_daemon.adapters.state.postgresql.state import PostgresState
from precoro_daemon.errors import DaemonError, SendingStopped, StoreHeld, StoreUnavailable, StoreUnusable
from precoro_daemon.payments.rules.events import Plan
from precoro_daemon.payments.rules.intents import Step
from tests.adapters.state.postgresql.clusters import (
    Cluster,
    bouncer_before,
    cluster_in,
    given,
    pgbouncer,
    programs,
    short_directory,
    stopped_in_the_end,
)
from tests.adapters.state.postgresql.fleet_story import Proxy
from tests.contracts.ledgers.servers import cut_wire
from tests.contracts.test_journal import attempt, draft, send

KEY = b"12345678"
SCHEMA = "company"

no_pgbouncer = pytest.mark.skipif(pgbouncer() is None, reason="no PgBouncer on this machine")
no_debian = pytest.mark.skipif(
    programs(15) is None or shutil.which("openssl") is None, reason="no PostgreSQL 15 of Debian on this machine"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with short_directory() as directory, cluster_in(directory / "primary") as found:
        found.rows("CREATE ROLE ordinary LOGIN; GRANT CREATE ON DATABASE postgres TO ordinary")
        yield found


class Open:
    """A fence that never closes: what a worker of a fleet has."""

    def check(self, cursor: psycopg.Cursor[Any], beginning: bytes = b"") -> None:
        cursor.execute(beginning)

    check_permit = check


def state(url: str, schema: str = SCHEMA, **options: str) -> PostgresState:
    return PostgresState(Server(url, None, tuple(options.items())), schema, "company")


async def opened(url: str, schema: str = SCHEMA) -> None:
    async with state(url, schema).open():
        pass


async def refused(one: PostgresState, kind: type[DaemonError], words: str) -> None:
    with pytest.raises(kind, match=words) as found:
        async with one.open():
            raise AssertionError
    assert type(found.value) is kind
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(("code", "kind", "words"), [
    ("53100", StoreUnavailable, "The disk of the state x is full: no room left. Free some space and run again"),
    ("25006", StoreUnavailable, "The state x cannot be written: no room left. It may be a standby"),
    ("55P03", StoreUnavailable, "The state x did not answer in time: no room left. Run again; look at the locks"),
    ("57014", StoreUnavailable, "The state x did not answer in time: no room left."),
    ("40P01", StoreUnavailable, "Another program writes into the state x: no room left. Close it and run again."),
    ("40001", StoreUnavailable, "Another program writes into the state x: no room left."),
    ("53300", StoreUnavailable, "The server of the state x takes no more connections: no room left. Raise max_conn"),
    ("57P01", StoreUnavailable, "The connection to the state x was lost in the middle of something: no room left."),
    ("08006", StoreUnavailable, "The connection to the state x was lost in the middle of something: no room left."),
    ("42501", StoreUnusable, "The user of the state x lacks a right: no room left. Let it own the schema"),
    ("42P01", StoreUnusable, "The tables of the state x are not as this program made them: no room left. Take back"),
    ("42703", StoreUnusable, "The tables of the state x are not as this program made them: no room left."),
    ("XX001", StoreUnusable, "The state x is damaged: no room left. Restore the database from a backup."),
    ("XX000", StoreUnusable, "The state x cannot be used: no room left."),
])  # fmt: skip
def test_what_a_server_refuses_is_said_by_its_code(code: str, kind: type[DaemonError], words: str) -> None:
    found = said("the state x", errors.lookup(code)("no room\n  left."))
    assert type(found) is kind
    assert str(found).startswith(words)


_LIBPQS = "connection is bad: no such file\n\tIs the server running locally and accepting connections on that socket?"


@pytest.mark.parametrize(("words", "kind", "sentence"), [
    (_LIBPQS, StoreUnavailable, "The server of x cannot be reached: no such file. Start it, or check the address."),
    ("FATAL:  the database system is starting up", StoreUnavailable, "The server of x is not ready: "),
    ('FATAL:  password authentication failed for user "me"', StoreUnusable, "The server of x refuses user or"),
    ('FATAL:  role "me" does not exist', StoreUnusable, "The server of x refuses user or password"),
    ('FATAL:  no pg_hba.conf entry for host "1.2.3.4"', StoreUnusable, "The server of x refuses user or password"),
    ('FATAL:  database "me" does not exist', StoreUnusable, "There is no such database for x"),
    ("FATAL:  no such database: me", StoreUnusable, "There is no such database for x"),
    ("FATAL:  sorry, too many clients already", StoreUnavailable, "The server of x takes no more connections"),
    ("server does not support SSL, but SSL was required", StoreUnusable, "The server of x does not encrypt"),
    ("SSL error: certificate verify failed", StoreUnusable, "The server of x does not prove who it is"),
    ('server certificate for "a" does not match host name "b"', StoreUnusable, "The server of x does not prove"),
    ("FATAL:  unsupported startup parameter: options", StoreUnusable, "The pooler before the server of x takes no"),
    ("FATAL:  no more connections allowed (max_client_conn)", StoreUnavailable, "The pooler before the server of x"),
])  # fmt: skip
def test_what_keeps_a_connection_from_being_made_is_said_by_its_words(
    words: str, kind: type[DaemonError], sentence: str
) -> None:
    found = unreached("x", psycopg.OperationalError(words))
    assert type(found) is kind
    assert str(found).startswith(sentence)


def test_a_pool_that_finds_no_server_tells_who_asks_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with pooled(Server("postgresql://me@%2Fnowhere/x")) as pool, pytest.raises(PoolTimeout):
        pool.getconn(timeout=1.5)
    assert caplog.records == []


@pytest.mark.asyncio
async def test_check_warns_of_standbys_that_confirm_nothing_and_of_commits_that_wait_for_none(
    cluster: Cluster, tmp_path: Path
) -> None:
    ours, ordinary = state(cluster.url()), state(cluster.url(user="ordinary"), "other")
    await opened(cluster.url())
    assert "WARNING" not in ours.about()
    with short_directory() as directory:
        standby = cluster.standby(directory / "standby", "berlin")
        with stopped_in_the_end(standby):
            for one in (ours, ordinary):
                assert "WARNING: standbys that do not confirm what is committed: berlin." in one.about()
            with pytest.raises(StoreUnavailable, match=r"is a standby, which cannot be written\. Name the primary"):
                state(standby.url()).about()
            await refused(state(standby.url()), StoreUnavailable, "is a standby, which cannot be written")
            assert state(standby.url()).exists(), "it may be read"
            cluster.rows("ALTER SYSTEM SET synchronous_standby_names = 'berlin'")
            cluster.reload()
            try:
                for one in (ours, ordinary):
                    assert "WARNING" not in one.about()
                async with PostgresState(Server(cluster.url(), answer_within=3.0), SCHEMA, "company").open() as store:
                    await store.budget_book.charge(1.0, KEY)
                    standby.stop("immediate")
                    with pytest.raises(StoreUnavailable, match=r"did not answer in time: .* look at the locks"):
                        await store.budget_book.charge(2.0, KEY)
                await refused(ours, StoreUnavailable, r"finishes nothing that is written: .* \(berlin\), and none is")
            finally:
                cluster.rows("ALTER SYSTEM RESET synchronous_standby_names")
                cluster.reload()
    await opened(cluster.url())


@pytest.mark.asyncio
async def test_a_user_who_may_not_use_or_make_the_schema_is_told_so_by_every_command(cluster: Cluster) -> None:
    await opened(cluster.url(), "kept_away")
    one = state(cluster.url(user="ordinary"), "kept_away")
    await refused(one, StoreUnusable, r"lacks a right: it may not use the schema kept_away\. Let it own the schema")
    for look in (one.about, one.exists, one.demand):
        with pytest.raises(StoreUnusable, match="it may not use the schema kept_away"):
            look()
    cluster.rows("GRANT USAGE ON SCHEMA kept_away TO ordinary")
    await refused(one, StoreUnusable, "lacks a right: permission denied for table meta")
    cluster.rows("CREATE ROLE nobody LOGIN")
    with pytest.raises(StoreUnusable, match="lacks a right: it may not make the schema nowhere"):
        state(cluster.url(user="nobody"), "nowhere").about()


@no_pgbouncer
@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_through_a_pooler_too_one_process_holds_the_state_and_no_other(cluster: Cluster, mode: str) -> None:
    with short_directory() as directory, bouncer_before(cluster, directory / "pooler", mode) as pooler:
        url = through(cluster, pooler)
        others = [psycopg.connect(f"host={pooler} user=postgres dbname=postgres") for _ in range(3)]
        async with state(url, mode).open() as store:
            for number in range(5):
                await store.budget_book.charge(float(number), KEY)
                others[number % 3].execute("SELECT 1")  # the pooler gives connections to others meanwhile
                others[number % 3].rollback()
            for way in (url, cluster.url()):
                await refused(state(way, mode), StoreHeld, r"is held by precoro-daemon, process \d+ on ")
        for other in others:
            other.close()
        await opened(url, mode)
        await opened(cluster.url(), mode)


@no_pgbouncer
@pytest.mark.asyncio
async def test_what_a_pooler_refuses_says_what_to_set(cluster: Cluster) -> None:
    with short_directory() as directory, bouncer_before(cluster, directory / "pooler", "statement") as pooler:
        url = through(cluster, pooler)
        await refused(state(url), StoreUnusable, r"keeps no transaction together: .* Write pool_mode = transaction")
        with pytest.raises(StoreUnusable, match=r"takes no such connection: .* ignore_startup_parameters = options"):
            state(url, options="-c statement_timeout=1000").exists()


def through(cluster: Cluster, pooler: Path) -> str:
    return cluster.url().replace(quote(str(cluster.directory), safe=""), quote(str(pooler), safe=""))


@pytest.mark.asyncio
@pytest.mark.parametrize("unsent", [True, False], ids=["before it got there", "after it got there"])
async def test_a_connection_that_is_cut_at_the_commit_gives_no_leave_to_send(cluster: Cluster, unsent: bool) -> None:
    async with cut_wire(cluster.socket) as wire:
        url = f"postgresql://postgres@127.0.0.1:{wire.port}/postgres"
        schema = "cut_before" if unsent else "cut_after"
        store_state = PostgresState(Server(url, None, (("sslmode", "disable"),)), schema, "company", fence=Open())
        async with store_state.open() as store:
            transactions: Any = store.mirror._transactions  # type: ignore[attr-defined]
            sent: list[Any] = []
            wire.cut_at, wire.unsent = b"COMMIT", unsent
            with pytest.raises(StoreUnavailable, match=r"The connection to the state .* was lost in the middle"):
                await transactions.write(
                    lambda session: session.run("budget_book.charge_call", (1.0, KEY, None)), then=sent.append
                )
            assert sent == []
            assert len(await store.budget_book.load(0.0)) == (0 if unsent else 1)


@pytest.mark.asyncio
async def test_a_promoted_standby_sends_nothing_even_for_who_never_noticed(cluster: Cluster) -> None:
    """The worker goes on with the state that it has open; only the server behind its address is another one."""
    with (
        short_directory() as directory,
        cluster_in(directory / "first") as first,
        stopped_in_the_end(first.standby(directory / "second")) as second,
    ):
        proxy = Proxy(str(first.socket))
        listener = await asyncio.start_server(proxy.carry, "127.0.0.1", 0)
        url = f"postgresql://postgres@127.0.0.1:{listener.sockets[0].getsockname()[1]}/postgres"
        one = PostgresState(Server(url, None, (("sslmode", "disable"),)), SCHEMA, "company", fence=Open())
        async with listener, one.open() as store:
            await store.journal.prepare()
            await store.journal.arm(1.0)
            await begun(store, "1")
            second.promote(first)
            proxy.upstream = str(second.socket)
            proxy.cut()
            await asyncio.sleep(0.2)
            with pytest.raises(SendingStopped, match="moved, copied or restored"):
                await begun(store, "2")
            assert not (await store.journal.switch()).armed
            proxy.cut()


async def begun(store: Store, payment: str) -> None:
    """What gives leave to send it."""
    intent = await store.journal.plan(draft(payment, int(payment)), Step(Plan(), 2.0, "seen"))
    [intent] = [intent] if intent else await store.journal.intent(draft(payment, int(payment)).id)
    await store.journal.begin(intent, attempt(intent), send())


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["recovered to a point in time", "loaded into another database"])
async def test_a_database_that_was_brought_back_is_disarmed(cluster: Cluster, how: str) -> None:
    async with state(cluster.url(), "restored").open() as store:
        await store.journal.prepare()
        await store.journal.arm(1.0)
        assert (await store.journal.switch()).armed
    with short_directory() as directory:
        if how.startswith("recovered"):
            with stopped_in_the_end(cluster.recovered(directory / "copy")) as copy:
                await disarmed(copy.url())
        else:
            cluster.rows("CREATE DATABASE elsewhere")
            dump = directory / "dump"
            directory.chmod(0o777)
            cluster.run("pg_dump", "-Fc", "-n", "restored", "-f", str(dump), cluster.conninfo(), data=False)
            cluster.run("pg_restore", "-d", cluster.conninfo("elsewhere"), str(dump), data=False)
            await disarmed(cluster.url("elsewhere"))
    async with state(cluster.url(), "restored").open() as store:
        assert (await store.journal.switch()).armed, "the one that was copied goes on"


async def disarmed(url: str) -> None:
    async with state(url, "restored").open() as store:
        switch = await store.journal.switch()
        assert (switch.armed, "moved, copied or restored" in switch.reason) == (False, True)


@no_debian
@pytest.mark.asyncio
async def test_a_server_that_is_too_old_or_does_not_prove_who_it_is_is_refused(cluster: Cluster) -> None:
    """Debian's has TLS, and is one version too old; the tests' own has none."""
    with short_directory() as directory:
        ours, others = certificate(directory, "ours"), certificate(directory, "others")
        key = {"ssl": "on", "ssl_cert_file": str(ours), "ssl_key_file": str(ours.with_suffix(".key"))}
        port = free_port()
        with cluster_in(directory / "old", 15, port, **key, listen_addresses="localhost") as old:
            await refused(state(old.url()), StoreUnusable, r"is PostgreSQL 15; the state needs 16 or newer\. Upgrade")
            address = f"postgresql://postgres@localhost:{port}/postgres"
            proven = {"sslmode": "verify-full", "sslrootcert": str(ours)}
            await refused(state(address, **proven), StoreUnusable, "is PostgreSQL 15")
            proven |= {"sslrootcert": str(others)}
            await refused(state(address, **proven), StoreUnusable, r"does not prove who it is: .* as ca_file")


def certificate(directory: Path, name: str) -> Path:
    """That vouches for itself."""
    path = directory / f"{name}.pem"
    what = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    who = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(path.with_suffix(".key")), "-out", str(path)]
    subprocess.run(["openssl", "req", *what, *who, *files], check=True, capture_output=True)
    given(path.with_suffix(".key"))
    return path


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port
