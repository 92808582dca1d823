"""reads single values, from TOML or from a variable, and describes the allowed ones"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from precoro_daemon.mirror.rules.collections import COLLECTIONS, PAGE_SIZES, STATUSES, WITH_DETAIL, WITH_FILES
from precoro_daemon.runtime.schedules import Cron, Every
from precoro_daemon.settings.credentials import bare
from precoro_daemon.values.humanize import many

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_SIZE = re.compile(r"(\d{1,15}) ?([KMGT]i?B|B)?", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
LONGEST = 366 * 86_400
_CRON_FIELDS = 5
AUTO, ALL = "auto", "all"


class Allowed(Struct, frozen=True):
    """A description of the allowed values for error messages. `choices` are candidates for a did-you-mean."""

    text: str
    choices: tuple[str, ...] = ()


_SHORTEST_KEY_CHARS = 8


class Clash(ValueError):
    """A well-formed value that is refused, because it contradicts another setting or for a reason that needs a
    sentence.

    at    the key below the validated one that is wrong, "" for the validated one itself
    also  the full key of the setting that it contradicts
    """

    def __init__(self, text: str, *, at: str = "", also: str = "") -> None:
        super().__init__(text)
        self.at = at
        self.also = also


def one_of(names: Iterable[str], what: str = "one of") -> Allowed:
    choices = tuple(names)
    return Allowed(f"{what}: {', '.join(choices)}", choices)


def read_seconds(value: object) -> float:
    """Returns seconds from "90s", "5m", "1h30m", "7d", or from whole seconds as a number."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not match or not match[0]:
        raise ValueError
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def read_schedule(value: object) -> Every | Cron:
    """Returns a schedule from "5m" or "*/10 6-20 * * 1-5"."""
    if isinstance(value, Every | Cron):
        return value
    if isinstance(value, str) and len(value.split()) == _CRON_FIELDS:
        return Cron(value)
    seconds = read_seconds(value)
    if not 1 <= seconds <= LONGEST:
        raise ValueError
    return Every(seconds)


def read_polls(value: object) -> object:
    """Returns schedules by collection, from a table or from one schedule for all. "all" applies to collections that a
    table does not name.
    """
    return value if isinstance(value, dict) else {ALL: read_turn(value)}


def read_turn(value: object) -> Every | Cron | None:
    """Returns a schedule, or None for "auto"."""
    if value is None or (isinstance(value, str) and value.strip().lower() == AUTO):
        return None
    return read_schedule(value)


def read_bytes(value: object) -> int:
    """Returns bytes from "500MB", "1GiB", or from whole bytes as a number. KB is 1,000, KiB 1,024."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError
    unit = (match[2] or "B").upper()
    step = 1024 if "I" in unit else 1000
    power: int = "BKMGT".index(unit[0])
    return int(match[1]) * int(step**power)


def read_host(value: str) -> str:
    """Returns host or host:port in lower case."""
    host, _, port = value.strip().lower().partition(":")
    if not _HOST.fullmatch(host) or (port and not (port.isdecimal() and 0 < int(port) < 65_536)):
        raise ValueError
    return value.strip().lower()


def read_number(value: object) -> object:
    """Refuses true and false, which Python would accept as 1 and 0."""
    if value is True or value is False:
        raise ValueError
    return value


def read_list(value: object) -> list[object]:
    """Returns a list, from a TOML list or from text with commas, as in a variable."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    raise ValueError


def read_status(value: object) -> object:
    """Returns the number of a status that is given by number or by name ("partly paid", "partly_paid")."""
    if isinstance(value, str) and not value.isdecimal():
        return STATUSES[name] if (name := value.lower().replace(" ", "_")) in STATUSES else value
    return read_number(value)


def read_date(value: object) -> date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        return date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError


def read_moment(value: object) -> datetime:
    """Returns a moment, from a date (its first moment) or a date with time. Without an offset it is UTC, as Precoro's
    times are.
    """
    match value:
        case str():
            moment = datetime.fromisoformat(value)
        case datetime():
            moment = value
        case date():
            moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
        case _:
            raise ValueError
    return _in_utc(moment)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError from None


def read_origin(value: str) -> str:
    """Returns the normal form of an http(s) URL of only scheme, host and port. Plain http is allowed only to this
    machine.
    """
    parts = _split(value)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"}:
        raise Clash(f'"{without_credentials(value)}" is not valid; expected an address that begins with https://')
    if parts.path not in {"", "/"} or set(value) & set("?#@\\"):
        raise Clash(
            "has more than scheme, host and port; allowed: https://host[:port], no path, query or credentials"
        )
    if not (_HOST.fullmatch(host) or ":" in host):
        raise Clash(f'"{value}" names no host; expected https://host[:port]')
    if parts.scheme == "http" and not is_loopback(value):
        raise Clash("would send the key unencrypted; allowed: https, or http to this machine itself (loopback)")
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def is_loopback(origin: str) -> bool:
    host = _split(origin).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_header(secret: SecretStr) -> SecretStr:
    """Returns a secret that fits into an HTTP header: printable ASCII without spaces, trimmed."""
    text = bare(secret.get_secret_value())
    if not text or not text.isprintable() or not text.isascii() or " " in text:
        raise ValueError
    return SecretStr(text)


def read_key(secret: SecretStr) -> SecretStr:
    """Refuses a key of a few letters. It is a typing mistake, and would occur in every second word of a log."""
    secret = read_header(secret)
    if (length := len(secret.get_secret_value())) < _SHORTEST_KEY_CHARS:
        said = f"has {many(length, 'character')}, which no key of Precoro has"
        raise Clash(f"{said}; allowed: the whole key, as Precoro shows it")
    return secret


def read_proxy(text: str) -> str:
    parts = _split(text)
    if parts.username or parts.password:
        raise Clash("holds a name or a password, which belong in HTTPS_PROXY; allowed: http://host:port")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc}"


_EMAIL = "the e-mail of the key's user (or PRECORO_EMAIL)"


def read_email(secret: SecretStr) -> SecretStr:
    """Checks an e-mail address. The refusal says what is wrong, but never shows the address."""
    text = bare(secret.get_secret_value())
    name, at, host = text.partition("@")
    fault = ""
    if not text.isprintable() or not text.isascii() or " " in text:
        fault = "it has a space in it, or a sign that no e-mail address has"
    elif not at or "@" in host:
        fault = "it has more than one @" if at else "it has no @"
    elif not name or not host:
        fault = "its @ has no domain behind it" if name else "its @ has no name before it"
    if fault:
        raise Clash(f"is no e-mail address: {fault}; allowed: {_EMAIL}, such as name@example.com")
    return SecretStr(text)


def without_credentials(text: str) -> str:
    """Returns a URL that may be shown, with `user:password@` masked."""
    return re.sub(r"//[^/\s]*@", "//***@", text)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise Clash("is no address; allowed: https://host[:port]") from None
    return parts


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _known_or_all(name: str) -> str:
    return name if name == ALL else _known(name)


def _known(name: str) -> str:
    if name not in COLLECTIONS:
        raise ValueError
    return name


def _with_detail(name: str) -> str:
    if name not in WITH_DETAIL:
        raise ValueError
    return name


def _with_files(name: str) -> str:
    if name not in WITH_FILES:
        raise ValueError
    return name


def _page_size(value: int) -> int:
    if value not in PAGE_SIZES:
        raise ValueError
    return value


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


Lower = BeforeValidator(_lower)
_NUMBER = BeforeValidator(read_number)
_LIST = BeforeValidator(read_list)
_CALLS = "a whole number ≥ 0"

Limit = Annotated[int, _NUMBER, Field(ge=0), Allowed(f"{_CALLS} (0 lifts the limit)")]
Calls = Annotated[int, _NUMBER, Field(ge=0), Allowed(f"{_CALLS} of calls")]
ListCalls = Annotated[int, _NUMBER, Field(ge=1), Allowed("a whole number ≥ 1 of calls")]
PageSize = Annotated[int, _NUMBER, AfterValidator(_page_size), one_of(map(str, PAGE_SIZES))]
Share = Annotated[float, _NUMBER, Field(ge=0, le=1, allow_inf_nan=False), Allowed("a number from 0 to 1")]
Scale = Annotated[float, _NUMBER, Field(ge=1, allow_inf_nan=False), Allowed("a number ≥ 1")]

Seconds = Annotated[
    float,
    BeforeValidator(read_seconds),
    Field(ge=1, le=LONGEST),
    Allowed('a duration from 1s to 366d, such as "90s", "5m", "1h30m", "7d", or whole seconds'),
]
Turn = Annotated[
    Every | Cron,
    BeforeValidator(read_schedule),
    Allowed('a duration from 1s to 366d ("5m"), or five fields as cron has them ("*/10 6-20 * * 1-5")'),
]
_A_TURN = (
    'auto, a duration from 1s to 366d ("5m"), or five fields as cron has them ("*/10 6-20 * * 1-5"); one for all, '
    "or a table with one by collection"
)
Polls = Annotated[
    dict[
        Annotated[str, AfterValidator(_known_or_all), one_of((ALL, *COLLECTIONS))],
        Annotated[Every | Cron | None, BeforeValidator(read_turn)],
    ],
    BeforeValidator(read_polls),
    Allowed(_A_TURN),
]
Weight = Annotated[float, _NUMBER, Field(ge=0, le=1000, allow_inf_nan=False), Allowed("a number from 0 to 1000")]
Oldest = Annotated[Seconds, Field(ge=60), Allowed('a duration of at least 60s, such as "24h"')]
Overlap = Annotated[Seconds, Field(ge=60), Allowed('a duration of at least 60s, such as "1h"')]

Origin = Annotated[str, AfterValidator(read_origin), Allowed("https://host[:port]")]
Proxy = Annotated[str, AfterValidator(read_proxy), Allowed("http://host:port")]
Email = Annotated[SecretStr, AfterValidator(read_email), Allowed(_EMAIL)]
_TOKEN_ALLOWED = Allowed("the API key: one line in token_file, or PRECORO_TOKEN")
Token = Annotated[SecretStr, AfterValidator(read_header), _TOKEN_ALLOWED]
PrecoroKey = Annotated[SecretStr, AfterValidator(read_key), _TOKEN_ALLOWED]
Label = Annotated[str, Field(pattern=r"^\S(.{0,98}\S)?$"), Allowed("a name of 1 to 100 characters")]

CollectionName = Annotated[str, AfterValidator(_known), one_of(COLLECTIONS)]
Collections = Annotated[
    tuple[CollectionName, ...], _LIST, AfterValidator(_once), Field(min_length=1), one_of(COLLECTIONS, "a list of")
]
DetailCollections = Annotated[
    tuple[Annotated[str, AfterValidator(_with_detail)], ...],
    _LIST,
    AfterValidator(_once),
    one_of(WITH_DETAIL, "a list of"),
]
FileCollections = Annotated[
    tuple[Annotated[str, AfterValidator(_with_files)], ...],
    _LIST,
    AfterValidator(_once),
    one_of(WITH_FILES, "a list of"),
]
Bytes = Annotated[
    int, BeforeValidator(read_bytes), Field(ge=0), Allowed('a number of bytes, such as "500MB", "1GiB" or 1000000')
]
InFlight = Annotated[int, _NUMBER, Field(ge=1, le=32), Allowed("a whole number from 1 to 32")]
Hosts = Annotated[
    tuple[Annotated[str, AfterValidator(read_host)], ...],
    _LIST,
    AfterValidator(_once),
    Allowed('a list of hosts, such as "files.example.com" or "127.0.0.1:8080"'),
]
Status = Annotated[
    frozenset[Annotated[int, BeforeValidator(read_status), Field(ge=0)]],
    _LIST,
    one_of(STATUSES, "a list of Precoro's status numbers or"),
]
Ids = Annotated[frozenset[Annotated[int, _NUMBER, Field(ge=0)]], _LIST, Allowed("a list of Precoro's ids")]
Date = Annotated[date, BeforeValidator(read_date), Allowed("a date: 2026-01-31")]
Moment = Annotated[
    datetime, BeforeValidator(read_moment), Allowed("a date or a date with time: 2026-01-31T08:00:00Z")
]
