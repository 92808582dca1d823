"""Named parameters: found where they are, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.values.sql_statements import Dialect, StatementError, parse

DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql", "mysql")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_statement_as_people_write_it(dialect: Dialect):
    sql = "SELECT 'a :b', \":c\", `:d`, x FROM t -- :e 100%\nWHERE k = :key AND p >= :position /* :f */ AND k <> :key"
    statement = parse(sql, dialect)
    assert statement.names == ("key", "position", "key")
    assert statement.for_colons() == sql
    assert statement.for_percent() == sql.replace("%", "%%").replace(":key", "%s").replace(":position", "%s")
    assert statement.in_order({"key": 1, "position": 2}) == [1, 2, 1]


@pytest.mark.parametrize(
    ("sql", "dialect", "names"),
    [
        ("SELECT :day::date, x::text", "postgresql", ("day",)),
        ("SELECT a[1:2], a[lo:hi]", "postgresql", ()),
        ("SELECT $$ :a $$, $x$ ' :b $x$, :c", "postgresql", ("c",)),
        (r"SELECT E'it\'s :a', :b", "postgresql", ("b",)),
        (r"SELECT 'back\', :a", "postgresql", ("a",)),
        (r"SELECT 'back\', :a', :b", "mysql", ("b",)),
        ("SELECT 'it''s :a', :b", "sqlite", ("b",)),
        ('SELECT "it\\" :a", :b', "mysql", ("b",)),
        ("SELECT 1 # :a'\n, :b", "mysql", ("b",)),
        ("SELECT data #> '{a}', :b", "postgresql", ("b",)),
        ("SELECT [odd :name], :b", "sqlite", ("b",)),
        ("SELECT @x := :b", "mysql", ("b",)),
        ("SELECT '12:30', :b", "sqlite", ("b",)),
    ],
)
def test_what_each_database_takes_for_a_string(sql: str, dialect: Dialect, names: tuple[str, ...]):
    assert parse(sql, dialect).names == names


@pytest.mark.parametrize(("sql", "sign"), [("SELECT 'a", "'"), ('SELECT\n"a', '"'), ("SELECT /* a", r"/\*")])
def test_what_is_not_closed_is_refused(sql: str, sign: str):
    with pytest.raises(
        StatementError, match=f"^{sign} in line {1 + sql.count(chr(10))} of the statement is not closed"
    ):
        parse(sql, "sqlite")


@given(
    st.lists(st.sampled_from(["'", "''", ":a", "--", "\n", "/*", "*/", "%", "x", "::", '"', "`", " ", "\\", "$$"]))
)
def test_whatever_is_written_nothing_gets_lost(parts: list[str]):
    sql = "".join(parts)
    for dialect in DIALECTS:
        try:
            statement = parse(sql, dialect)
        except StatementError:
            continue
        assert statement.for_colons() == sql
        assert statement.for_percent() % tuple(statement.in_order({"a": ":a"})) == sql
