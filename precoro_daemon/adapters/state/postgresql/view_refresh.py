"""recreates outdated views, grants reading, and unites all companies in one schema

The database's administrator opts in by creating objects. A role `readers` may read the views, and nothing else. A
schema `precoro_all` gets each view over all companies of the database, with a column `company`.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import psycopg
from psycopg import sql

from precoro_daemon.adapters.state.postgresql.views import view_definitions
from precoro_daemon.adapters.state.views import described_views

READERS = "readers"
ALL_COMPANIES = "precoro_all"

_VIEW_NAMES = "SELECT viewname FROM pg_views WHERE schemaname = current_schema()"
_MADE = """
SELECT md5(string_agg(concat_ws(' ', relation.relname, rule.oid, rule.xmin), ',' ORDER BY relation.relname))
FROM pg_class AS relation JOIN pg_rewrite AS rule ON rule.ev_class = relation.oid
WHERE relation.relkind = 'v' AND relation.relnamespace = quote_ident(current_schema())::regnamespace
"""
"""Changes as soon as a view is dropped, created or replaced. PostgreSQL does not keep definitions as they were
given.
"""

_LEFT_OUT = """
SELECT to_regnamespace(%s) IS NOT NULL AND (
    SELECT count(DISTINCT needs.refobjid) FROM pg_depend AS needs
    JOIN pg_rewrite AS rule ON rule.oid = needs.objid
    JOIN pg_class AS view ON view.oid = rule.ev_class
    WHERE needs.refobjid IN (to_regclass('documents'), to_regclass('meta'))
        AND view.relnamespace = to_regnamespace(%s)
) < 2
"""
"""The search path leads to the company's own views and tables."""

_COMPANIES = """
SELECT space.nspname
FROM pg_namespace AS space
JOIN pg_class AS view ON view.relnamespace = space.oid AND view.relname = 'data_dictionary' AND view.relkind = 'v'
JOIN pg_class AS records ON records.relnamespace = space.oid AND records.relname = 'records' AND records.relkind = 'r'
WHERE has_schema_privilege(space.oid, 'USAGE')
ORDER BY space.nspname
"""
_PART = """SELECT {} AS company, {} FROM {}
WHERE NOT EXISTS (SELECT 1 FROM {} WHERE key IN ('moved', 'arriving') AND value <> '')"""
"""A state that was moved away no longer counts; one that has not arrived does not count yet."""

_COLUMNS = """
SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
WHERE attrelid = to_regclass(format('%%I.%%I', %s::text, %s::text)) AND attnum > 0 AND NOT attisdropped
"""


def describe_views(connection: psycopg.Connection[Any]) -> str:
    """Returns a fingerprint of the views' definitions, and of the views as they are in the database."""
    definitions = blake2b("\n".join(view_definitions()).encode(), digest_size=16).hexdigest()
    return f"{definitions} {_value(connection, _MADE)}"


def make_views(connection: psycopg.Connection[Any]) -> None:
    """Recreates every view. Runs inside a transaction. Views here are ours; objects that others built on them are
    dropped.
    """
    names = [name for (name,) in connection.execute(_VIEW_NAMES).fetchall()]
    if names:
        every = sql.SQL(", ").join(map(sql.Identifier, names))
        connection.execute(sql.SQL("DROP VIEW {} CASCADE").format(every))
    connection.execute("\n".join(view_definitions()).encode())


def let_readers_read(connection: psycopg.Connection[Any]) -> None:
    """Grants the role `readers` what it cannot read yet."""
    if not _value(connection, "SELECT to_regrole(%s) IS NOT NULL", READERS):
        return
    here = str(_value(connection, "SELECT current_schema()"))
    for schema in (here, ALL_COMPANIES):
        granted = """
            SELECT coalesce(bool_and(has_table_privilege(%s, view.oid, 'SELECT')), TRUE)
            FROM pg_class AS view WHERE view.relkind = 'v' AND view.relnamespace = to_regnamespace(quote_ident(%s))
        """
        if _value(connection, granted, READERS, schema):
            continue
        space, role = sql.Identifier(schema), sql.Identifier(READERS)
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(space, role))
        views = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = %s", (schema,)).fetchall()
        every = sql.SQL(", ").join(sql.Identifier(schema, view) for (view,) in views)
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(every, role))


def unite_companies(connection: psycopg.Connection[Any]) -> None:
    """Creates the views over all companies, if they are wanted and lack this company. Runs inside a transaction.

    A company whose views have another version is left out until they are recreated; one whose state was moved away
    stays
    out.
    """
    if not _value(connection, _LEFT_OUT, ALL_COMPANIES, ALL_COMPANIES):
        return
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (ALL_COMPANIES,))
    here = str(_value(connection, "SELECT current_schema()"))
    companies = [name for (name,) in connection.execute(_COMPANIES).fetchall() if name != ALL_COMPANIES]
    for view in described_views():
        columns = _value(connection, _COLUMNS, here, view)
        same = [name for name in companies if _value(connection, _COLUMNS, name, view) == columns]
        parts = (
            sql.SQL(_PART).format(
                sql.Literal(name),
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.Identifier(name, view),
                sql.Identifier(name, "meta"),
            )
            for name in same
        )
        united = sql.Identifier(ALL_COMPANIES, view)
        connection.execute(sql.SQL("DROP VIEW IF EXISTS {} CASCADE").format(united))
        connection.execute(sql.SQL("CREATE VIEW {} AS {}").format(united, sql.SQL(" UNION ALL ").join(parts)))


def _value(connection: psycopg.Connection[Any], query: str, *values: str) -> Any:
    row = connection.execute(query.encode(), values or None).fetchone()
    assert row is not None, "it gives one row"
    return row[0]
