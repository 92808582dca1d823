"""reads and checks the values of a ledger's settings"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any, NoReturn
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from precoro_daemon.settings.values import Allowed, Clash, is_loopback, without_credentials
from precoro_daemon.values.sql_statements import Dialect, StatementError, parse
from precoro_daemon.values.templates import TemplateError, names_in
from precoro_daemon.values.text_patterns import PatternError, compile_pattern

_SCHEMES: dict[str, Dialect] = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}
_URL_FORMS = "sqlite:////absolute.db, postgresql://user@host/database or mysql://user@host/database"


class DatabaseAddress(Struct, frozen=True):
    """The parts of a database's address. If `host` begins with a slash, it is the directory or path of a socket."""

    dialect: Dialect
    database: str
    host: str = ""
    port: int | None = None
    user: str = ""

    @property
    def is_local(self) -> bool:
        return not self.host or self.host.startswith("/") or is_loopback(f"//{self.host}")


def database_address(url: str) -> DatabaseAddress:
    """Returns the parts of a database's address. Raises Clash."""
    scheme, separator, rest = url.partition("://")
    dialect = _SCHEMES.get(scheme)
    if not separator or dialect is None:
        raise Clash(f'"{without_credentials(url)}" is not valid; expected {_URL_FORMS}')
    if dialect == "sqlite":
        if not rest.startswith("/") or rest.endswith("/") or set(rest) & set("?#\0"):
            raise Clash(f'"{url}" is not valid; expected sqlite:///relative.db or sqlite:////absolute.db')
        return DatabaseAddress(dialect, rest[1:])
    return _server_address(dialect, url)


def _server_address(dialect: Dialect, url: str) -> DatabaseAddress:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Clash(f"is no address; allowed: {_URL_FORMS}") from None
    if parts.password is not None:
        raise Clash("has a password in it; put it into a file of its own and name that as password_file")
    database = unquote(parts.path.removeprefix("/"))
    if not database or not parts.hostname or parts.query or parts.fragment:
        raise Clash(f'"{without_credentials(url)}" is not valid; expected {_URL_FORMS} and no more')
    return DatabaseAddress(dialect, database, unquote(parts.hostname), port, unquote(parts.username or ""))


def _checked_url(url: str) -> str:
    database_address(url)
    return url


def check_statement(sql: str, dialect: Dialect, allowed: Iterable[str], *, needs: str = "") -> str:
    """Returns the statement if it uses only allowed names, and the needed one. Raises Clash."""
    try:
        names = parse(sql, dialect).names
    except StatementError as error:
        raise Clash(str(error)) from None
    refuse_unknown(names, allowed, lambda name: f":{name}")
    if needs and needs not in names:
        raise Clash(f"has no :{needs}, so it cannot do what it is for")
    return sql


def refuse_unknown(names: Iterable[str], allowed: Iterable[str], shown: Any) -> None:
    known = tuple(allowed)
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1, cutoff=0.6)
            guess = f" (did you mean {shown(close[0])}?)" if close else ""
            raise Clash(f"{shown(name)} is unknown here{guess}; allowed: {', '.join(map(shown, known))}")


def check_templates(template: Any, allowed: Iterable[str]) -> None:
    """Raises Clash for a {name} that will have no value."""
    try:
        names = tuple(names_in(template))
    except TemplateError as error:
        raise Clash(str(error)) from None
    refuse_unknown(names, allowed, lambda name: f"{{{name}}}")


def read_json(value: object) -> Any:
    """Returns the body given as JSON text, with exact numbers, or as a TOML table. Raises Clash."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_float=Decimal, parse_constant=_refuse)
    except RecursionError:
        raise Clash("is nested too deeply") from None
    except ValueError as error:
        raise Clash(f"is not JSON: {error}; texts with {{names}} stand in quotes too") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _path(value: str) -> str:
    if not value.startswith("/") or value.startswith("//") or not value.isprintable() or "#" in value:
        raise ValueError
    return value


def _encoding(value: str) -> str:
    try:
        return codecs.lookup(value).name
    except LookupError:
        raise ValueError from None


def has_year(day_format: str) -> bool:
    return not day_format or "%y" in day_format.lower()


def _day_without_year(value: str) -> str:
    if value and date(2026, 1, 31).strftime(value) in (date(2026, 2, 28).strftime(value), value):
        raise ValueError
    return value


def _pattern(value: str) -> str:
    try:
        if value:
            compile_pattern(value)
    except PatternError as error:
        raise Clash(str(error)) from None
    return value


def _not_itself_secret(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError
    return secret


def _strings(value: object) -> object:
    """Turns a single text into a list with this text."""
    return [value] if isinstance(value, str) else value


DatabaseUrl = Annotated[str, AfterValidator(_checked_url), Allowed(_URL_FORMS)]
Password = Annotated[
    SecretStr, AfterValidator(_not_itself_secret), Allowed("the password, one line in password_file")
]
Sql = Annotated[str, Field(min_length=1), Allowed("an SQL statement as text")]
PlainText = Annotated[str, Field(min_length=1, max_length=200), Allowed("a text of 1 to 200 characters")]
TargetPath = Annotated[str, AfterValidator(_path), Allowed("a path with its query, which begins with one slash")]
Paths = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(_strings),
    Field(min_length=1),
    Allowed('where it stands, such as "Payments.0.Id", or a list of such'),
]
JsonPath = Annotated[str, Allowed('where it stands, such as "Invoice.Number" or "lines.0.id"')]
Texts = Annotated[dict[str, str], Allowed('a table of texts: { "Name" = "text" }')]
TextLists = Annotated[
    dict[str, Annotated[tuple[str, ...], BeforeValidator(_strings)]],
    Allowed('a table of texts: { "Path" = ["text"] }'),
]
Plain = Annotated[dict[str, str | int], Allowed('a table of texts and whole numbers: { account = "090" }')]
Json = Annotated[Any, BeforeValidator(read_json), Allowed("JSON as a text")]
Encoding = Annotated[str, AfterValidator(_encoding), Allowed('an encoding, such as "utf-8-sig" or "cp1252"')]
DayWithoutYear = Annotated[
    str, AfterValidator(_day_without_year), Allowed('a date format, such as "%d.%m.%Y", or nothing')
]
Words = Annotated[
    tuple[str, ...], BeforeValidator(_strings), Field(min_length=1), Allowed('a list of texts, such as ["S", "Soll"]')
]
Pattern = Annotated[str, AfterValidator(_pattern), Allowed("a regular expression")]
OneSign = Annotated[str, Field(min_length=1, max_length=1), Allowed("one character")]
NoneOrOneSign = Annotated[str, Field(max_length=1), Allowed("one character, or nothing")]
CurrencyCode = Annotated[
    str, Field(pattern=r"^([A-Z]{3})?$"), Allowed("a currency code of three capitals, such as EUR, or nothing")
]
