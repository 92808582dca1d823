"""`check` tries where exports go: what is wrong is said by export, and nothing of any record is there afterwards."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import anyio.to_thread
import obstore
import psycopg
import pytest

from precoro_daemon.adapters.objects.bucket_access import connect
from precoro_daemon.adapters.objects.directory import open_directory
from precoro_daemon.app.export_targets import check_exports
from precoro_daemon.errors import ExportsUnusable
from precoro_daemon.settings import load
from tests.adapters.objects.s3 import BUCKET, access_to
from tests.exports.receiving import SECRET, Shop

pytestmark = pytest.mark.asyncio

_NUMBERS = count(1)
_LAKE = '[exports.lake]\nkind = "parquet"\ndirectory = "lake"\n'


class Checked:
    """A configuration with these exports, beside which nothing is yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def __call__(self, exports: str, **environ: str) -> str:
        (self.folder / "secret").write_text(SECRET)
        (self.folder / "secret").chmod(0o600)
        config = self.folder / "config.toml"
        config.write_text(f'[precoro]\nregion = "us"\n{exports}')
        given = {"PRECORO_TOKEN": "a-key-of-ours", "PRECORO_EMAIL": "a@example.org", **environ}
        return (await check_exports(await anyio.to_thread.run_sync(lambda: load(config, given)))).said

    async def fails(self, exports: str, **environ: str) -> str:
        with pytest.raises(ExportsUnusable) as refused:
            await self(exports, **environ)
        return str(refused.value)


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    return Checked(tmp_path)


def _push(url: str, allowed: str = '["127.0.0.1"]') -> str:
    return f'[exports.shop]\nkind = "push"\nurl = "{url}"\nsecret_file = "secret"\nallowed_hosts = {allowed}\n'


async def test_receivers_are_asked_and_get_nothing(checked: Checked) -> None:
    shop = Shop()
    async with shop.open() as url:
        assert await checked(_push(url)) == f"shop: {url} answers (405 to a HEAD)"
        assert (await checked.fails(_push(url, "[]"))).startswith(f"[exports.shop]: {url} is not https")
    assert shop.came == []
    assert "connection refused" in await checked.fails(_push(url))


async def test_a_directory_takes_a_file_and_keeps_none(checked: Checked, tmp_path: Path) -> None:
    assert (await checked(_LAKE)).startswith(f"lake: {tmp_path}/lake takes files; its disk has room for ")
    assert [one.name for one in (tmp_path / "lake").rglob("*") if one.is_file()] == [".precoro-daemon"]
    other = await checked.fails(_LAKE, PRECORO_EMAIL="b@example.org")
    assert other.startswith(f"[exports.lake]: {tmp_path}/lake: it holds the files of another company")


async def test_a_directory_that_is_being_written_is_not_taken_from_the_service(checked: Checked) -> None:
    async with open_directory(checked.folder / "lake", identity="of the service", reserve=0):
        assert (await checked(_LAKE)).endswith("/lake: another process is writing files there just now")


@pytest.mark.parametrize(
    ("directory", "said"), [("config.toml", "is no directory"), ("missing/lake", "missing does not exist")]
)
async def test_a_directory_that_cannot_be(checked: Checked, directory: str, said: str) -> None:
    assert said in await checked.fails(_LAKE.replace('"lake"', f'"{directory}"'))


async def test_a_bucket_is_reached_and_gets_its_mark_alone(checked: Checked, s3: str) -> None:
    def lake(origin: str, prefix: str) -> str:
        keys = 'access_key_id = "ACCESSKEY"\nsecret_file = "bucket-secret"\nregion = "us-east-1"\n'
        place = f'[exports.lake]\nkind = "parquet"\ndirectory = "s3://{BUCKET}/{prefix}"\n'
        return f'{place}[exports.lake.bucket]\nendpoint = "{origin}"\n{keys}'

    (checked.folder / "bucket-secret").write_text("SECRETKEY")
    (checked.folder / "bucket-secret").chmod(0o600)
    assert (await checked(lake(s3, "tried"))).startswith(f"lake: s3://{BUCKET}/tried takes files")
    there = [one["path"] for some in obstore.list(connect(access_to(s3)), "tried") for one in some]
    assert there == ["tried/.precoro-daemon"]
    assert f"[exports.lake]: s3://{BUCKET}/tried" in await checked.fails(lake("http://127.0.0.1:9", "tried"))


Query = Callable[[str], Any]


@pytest.fixture
def query(state_database: str) -> Query:
    def run(statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(state_database, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    return run


class Reports:
    """The configuration of an export into a schema of its own."""

    def __init__(self, host: str) -> None:
        self.schema = f"tried_{next(_NUMBERS)}"
        self._host = host.replace("/", "%2F")

    def __call__(self, user: str = "postgres") -> str:
        return (
            '[exports.reports]\nkind = "sql"\ncollections = ["invoices", "suppliers"]\n'
            f'schema_name = "{self.schema}"\n'
            f'[exports.reports.database]\nurl = "postgresql://{user}@{self._host}/states"\n'
        )


@pytest.fixture
def reports(postgres: str) -> Reports:
    return Reports(postgres)


async def test_tables_are_tried_and_nothing_stays(checked: Checked, reports: Reports, query: Query) -> None:
    schema = reports.schema
    assert await checked(reports()) == (
        f"reports: postgres may make and fill its tables in states (schema {schema}), without TLS"
    )
    assert query(f"SELECT to_regnamespace('{schema}')") == [(None,)]


async def test_a_user_without_rights_is_said(checked: Checked, reports: Reports, query: Query) -> None:
    schema = reports.schema
    reader = f"reader_of_{schema}"
    query(f"CREATE ROLE {reader} LOGIN")
    assert "permission denied for database states" in await checked.fails(reports(reader))
    query(f"CREATE SCHEMA {schema}; GRANT USAGE ON SCHEMA {schema} TO {reader}")
    assert f"permission denied for schema {schema}" in await checked.fails(reports(reader))
    query(f"GRANT CREATE ON SCHEMA {schema} TO {reader}")
    assert (await checked(reports(reader))).startswith(f"reports: {reader} may make and fill")
    query(f"CREATE TABLE {schema}.invoices (id bigint)")
    assert "the table invoices is not of this export" in await checked.fails(reports(reader))
    query(f"COMMENT ON TABLE {schema}.invoices IS 'filled by precoro-daemon, export reports'")
    assert "the table invoices lacks columns, and only its owner" in await checked.fails(reports(reader))
    query(f"ALTER TABLE {schema}.invoices OWNER TO {reader}")
    query(f"REVOKE INSERT ON {schema}.invoices FROM {reader}")
    assert "permission denied for table invoices" in await checked.fails(reports(reader))
    query(f"GRANT INSERT ON {schema}.invoices TO {reader}")
    await checked(reports(reader))
    query(f"ALTER ROLE {reader} SET default_transaction_read_only = on")
    assert "in a read-only transaction" in await checked.fails(reports(reader))


async def test_each_that_fails_has_its_line(checked: Checked, reports: Reports) -> None:
    lake = _LAKE.replace('"lake"', '"config.toml"')
    said = (await checked.fails(_push("https://127.0.0.1:9/") + lake + reports("nobody_there"))).splitlines()
    assert [line.partition(":")[0] for line in said] == ["[exports.shop]", "[exports.lake]", "[exports.reports]"]
    assert "nobody_there" in said[2]
