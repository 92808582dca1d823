"""[ledger]: what is wrong is told with its place, before the first payment."""

from __future__ import annotations

from pathlib import Path

import pytest

from precoro_daemon.app.values import secrets
from precoro_daemon.errors import ConfigurationError
from precoro_daemon.settings import load
from tests.settings.conftest import ACCESS, PRECORO, Load, Mistake, Mistakes

SQL = """[ledger]
kind = "sql"
name = "books"
[ledger.sql]
url = "postgresql://books@db.example.com/accounting"
insert = "INSERT INTO p (k) VALUES (:key)"
find = "SELECT id FROM p WHERE k = :key"
"""
REST = """[ledger]
kind = "rest"
name = "books"
[ledger.rest]
base_url = "https://books.example.com"
[ledger.rest.create]
path = "/pay"
id = "id"
"""
CSV = """[ledger]
kind = "csv"
name = "books"
[ledger.csv]
out_directory = "out"
"""


XERO = """[ledger]
kind = "xero"
name = "books"
[ledger.xero]
tenant_id = "t-1"
"""


def test_without_a_ledger_nothing_is_asked(read: Load):
    assert read().ledger.kind == "none"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[ledger]\nkind = "sql"', "config.toml:3: ledger.name: missing; give a name of 1 to 100 characters"),
        ('[ledger]\nkind = "sql"\nname = "b"',
         "config.toml:3: ledger.sql: missing; kind = sql needs it (see ledger.kind, config.toml:4)"),
        ('[ledger]\nkind = "sqll"', 'config.toml:4: ledger.kind: "sqll" is not valid (did you mean "sql"?); expected'),  # noqa: E501
        (SQL.replace("insert =", "inserts ="), "config.toml:8: ledger.sql.inserts: unknown key (did you mean"),
        (SQL.replace("books@", "books:s3cret@"), "config.toml:7: ledger.sql.url: has a password in it"),
        (SQL.replace("postgresql://", "oracle://"), 'config.toml:7: ledger.sql.url: "oracle://***@db.example.com'),
        (SQL.replace("(:key)", "(:kye)"), "config.toml:8: ledger.sql.insert: :kye is unknown here (did you"),
        (SQL.replace("(:key)", "(':key')"), "config.toml:8: ledger.sql.insert: has no :key, so it cannot do what it"),
        (SQL.replace("(:key)", "(':key)"), "config.toml:8: ledger.sql.insert: ' in line 1 of the statement"),
        (SQL.replace("find =", "# find ="), "config.toml:6: ledger.sql.find: missing; insert needs it"),
        (SQL + 'tls = "maybe"', 'config.toml:10: ledger.sql.tls: "maybe" is not valid; expected one of: auto, verify, off'),  # noqa: E501
        (SQL + 'password = "s3cret"', "config.toml:10: ledger.sql.password: a secret does not belong in this file"),
        (SQL + 'password_file = "nowhere"', "config.toml:10: ledger.sql.password_file: there is no such file"),
        (REST, "config.toml:3: ledger.accept_review: this ledger neither recognises a repeated payment"),
        (REST.replace("/pay", "pay"), 'config.toml:9: ledger.rest.create.path: "pay" is not valid; expected a path with its'),  # noqa: E501
        (REST + 'body = \'{"a": {amount}}\'', "config.toml:11: ledger.rest.create.body: is not JSON:"),
        (REST + 'body = \'{"a": "{amuont}"}\'', "config.toml:11: ledger.rest.create.body: {amuont} is unknown here"),
        (REST + 'repeat = "safe"', "config.toml:11: ledger.rest.create.repeat: safe, but the call does"),
        (REST.replace("/pay", "/pay/{token}"), "config.toml:9: ledger.rest.create.path: {token} is unknown here"),
        (REST + 'headers = { A = "{token}" }', "config.toml:6: ledger.rest.token_file: missing; give the token"),
        (REST + 'form = { a = "b" }\nbody = "1"', "config.toml:11: ledger.rest.create.form: form and body exclude"),
        (REST.replace("https", "http"), "config.toml:7: ledger.rest.base_url: would send the key unencrypted"),
        (XERO, "config.toml:6: ledger.xero.grant_file: missing; log in by `ledger login`, or give the token"),
        (XERO.replace("tenant_id", "tenant"), "config.toml:7: ledger.xero.tenant: unknown key (did you mean"),
        (XERO + 'accounts = { EURO = "x" }', 'config.toml:8: ledger.xero.accounts: {"EURO": "x"} is not valid'),
        (XERO + 'accounts = { EUR = " " }', 'config.toml:8: ledger.xero.accounts: {"EUR": " "} is not valid'),
        (XERO + 'token = "s3cret"', "config.toml:8: ledger.xero.token: a secret does not belong in this file"),
        ('[ledger]\nkind = "xero"\nname = "b"', "config.toml:3: ledger.xero: missing; kind = xero needs it"),
        ('[ledger.quickbooks]\nrealm_id = "4-6"', 'config.toml:4: ledger.quickbooks.realm_id: "4-6" is not valid; expected'),  # noqa: E501
        (CSV.replace("out_", "x_"), "config.toml:7: ledger.csv.x_directory: unknown key"),
        (CSV + 'in_directory = "in"', "config.toml:6: ledger.csv.columns: names no column for invoice"),
        (CSV + 'in_directory = "out"\ncolumns = { amount = "a" }', "config.toml:7: ledger.csv.out_directory: is"),
        (CSV + 'columns = { sum = "x" }', "config.toml:8: ledger.csv.columns: sum is unknown here; allowed"),
        (CSV + 'out_columns = { a = "{b}" }', "config.toml:8: ledger.csv.out_columns: {b} is unknown here"),
        (CSV + 'delimiter = ";;"', 'config.toml:8: ledger.csv.delimiter: ";;" is not valid; expected one character'),
        (CSV + 'delimiter = ","\ndecimal_mark = ","', "config.toml:8: ledger.csv.delimiter: is the decimal mark too"),
        (CSV + 'encoding = "utf-99"', 'config.toml:8: ledger.csv.encoding: "utf-99" is not valid; expected an encoding'),  # noqa: E501
        (CSV + 'day_format = "TT.MM"', 'config.toml:8: ledger.csv.day_format: "TT.MM" is not valid; expected a date format'),  # noqa: E501
    ],
)  # fmt: skip
def test_mistakes_and_what_they_are_told_as(text: str, told: str, mistakes: Mistakes):
    (line,) = [line for line in mistakes(text) if told in line] or mistakes(text)
    assert line.startswith(told)


def test_several_at_once(mistakes: Mistakes):
    lines = mistakes('[ledger]\nkind = "sq"\n[ledger.sql]\nurl = "x"\ntimeout = "soon"\n[ledger.csv]\nsettle = 0')
    assert [line.split(": ")[1] for line in lines] == [
        "ledger.kind", "ledger.sql.url", "ledger.sql.timeout", "ledger.csv.settle",
    ]  # fmt: skip


def test_a_named_ledger_needs_little(file: Path):
    file.write_text(PRECORO + XERO + "accounts = { EUR = 'a', USD = 35 }\n")
    settings = load(file, ACCESS | {"PRECORO_DAEMON__LEDGER__XERO__TOKEN": "t0ken"})
    xero = settings.ledger.xero
    assert xero
    assert (xero.base_url, xero.accounts) == ("https://api.xero.com", {"EUR": "a", "USD": "35"})
    assert "t0ken" in secrets(settings)
    assert "t0ken" not in repr(settings)


def test_secrets_from_the_environment_and_from_systemd(file: Path, tmp_path: Path):
    file.write_text(PRECORO + SQL + 'password_file = "not-even-there"\n')
    settings = load(file, ACCESS | {"PRECORO_DAEMON__LEDGER__SQL__PASSWORD": "p4ss"})
    assert "p4ss" in secrets(settings)
    file.write_text(PRECORO + SQL)
    credential = tmp_path / "ledger_password"
    credential.write_text("fr0m-systemd\n")
    credential.chmod(0o600)
    settings = load(file, ACCESS | {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert "fr0m-systemd" in secrets(settings)
    credential.chmod(0o644)
    with pytest.raises(ConfigurationError, match="ledger_password: everyone on this machine can read the file"):
        load(file, ACCESS | {"CREDENTIALS_DIRECTORY": str(tmp_path)})


@pytest.mark.parametrize(
    ("url", "verifies"),
    [("postgresql://b@db.example.com/a", True), ("postgresql://b@127.0.0.1:5432/a", False),
     ("postgresql://%2Fvar%2Frun%2Fpostgresql/a", False), ("mysql://b@localhost/a", False)],
)  # fmt: skip
def test_a_database_elsewhere_must_prove_itself(url: str, verifies: bool, read: Load):
    sql = read(SQL.replace("postgresql://books@db.example.com/accounting", url)).ledger.sql
    assert sql
    assert sql.verifies is verifies
    sql = read(SQL.replace("postgresql://books@db.example.com/accounting", url) + 'tls = "verify"').ledger.sql
    assert sql
    assert sql.verifies


ODOO = """
[ledger]
kind = "odoo"
name = "Books"
[ledger.odoo]
base_url = "https://odoo.example.com"
database = "company"
user = 2
journals = { EUR = 7, USD = "BNK2" }
"""


def test_odoo_by_numbers_and_by_names(read: Load):
    odoo = read(ODOO, PRECORO_DAEMON__LEDGER__ODOO__TOKEN="t0ken").ledger.odoo
    assert odoo
    assert (odoo.user, odoo.journals) == ("2", {"EUR": "7", "USD": "BNK2"})
    assert "t0ken" not in repr(odoo)


def test_the_log_knows_every_secret(read: Load):
    settings = read(
        ODOO + '[state]\nurl = "postgresql://daemon@127.0.0.1/state"\n'
        '[fetch_attachments]\ndirectory = "s3://files/precoro"\n[fetch_attachments.bucket]\naccess_key_id = "k"\n',
        PRECORO_DAEMON__LEDGER__ODOO__TOKEN="t0ken",
        PRECORO_DAEMON__STATE__PASSWORD="p4ss",
        PRECORO_DAEMON__FETCH_ATTACHMENTS__BUCKET__SECRET="b4cket",
        PRECORO_DAEMON__NOTIFY__TARGETS="json://127.0.0.1/one json://127.0.0.1/two",
    )
    known = secrets(settings)
    assert {*ACCESS.values(), "t0ken", "p4ss", "b4cket", "json://127.0.0.1/one", "json://127.0.0.1/two"} <= {*known}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("USD = 7", "one journal stands for two currencies"),
        ("usd = 9", "journals"),
        ("USD = true", "journals"),
    ],
)
def test_what_of_odoo_cannot_be(wrong: str, said: str, mistake: Mistake):
    line = mistake(ODOO.replace('USD = "BNK2"', wrong), PRECORO_DAEMON__LEDGER__ODOO__TOKEN="t")
    assert "ledger.odoo.journals" in line
    assert said in line


def test_odoo_needs_its_key(mistake: Mistake):
    assert "ledger.odoo.token" in mistake(ODOO)
