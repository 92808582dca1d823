"""builds a ledger in SQL"""

from __future__ import annotations

from functools import partial

from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.adapters.ledgers.sql import SqlLedger, SqlStatements
from precoro_daemon.app.databases import open_named, secrets_of
from precoro_daemon.settings import ledger_sql as given_sql
from precoro_daemon.values.sql_statements import parse


def build_sql(name: str, given: given_sql.SqlLedger) -> SqlLedger:
    dialect = given.address.dialect
    secrets = secrets_of(given)
    statements = {
        key: parse(text, dialect) if text else None
        for key, text in (("read", given.read), ("insert", given.insert), ("find", given.find))
    }
    given_statements = SqlStatements(
        name, start=given.start, timeout=given.timeout, overlap=given.overlap, secrets=secrets, **statements
    )
    reader = RowReader(ours_prefix=given.ours_prefix, secrets=secrets)
    return SqlLedger(given_statements, partial(open_named, given), reader)
