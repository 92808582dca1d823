"""structlog set-up, the declared event names, redaction, excerpts of foreign text"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, lru_cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TextIO, cast
from urllib.parse import quote, quote_plus

from precoro_daemon.values.visible_text import visible
from precoro_daemon.values.wrapped_lines import line_for_people

if TYPE_CHECKING:
    import logging
    from types import ModuleType

    from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "run_started": "the program begins its work",
        "run_finished": "it ends, with what it did and why it stopped",
        "run_failed": "it cannot go on; the reason is for the operator, with the exit code",
        "fleet_started": "the program begins to serve the companies of a directory",
        "company_started": "a company is served from now on",
        "company_ended": "a company is served no more; the others go on",
        "company_failed": "a company cannot be served at present; it is tried again, and the others go on",
        "company_refused": "a company's file cannot be used; one that is served goes on by its former settings",
        "company_stalled": "a part of a company gave no sign of life; the company alone is ended and started again",
        "descriptors_limited": "the system lets the process open fewer files than its companies may need",
        "signal_received": "the operating system asked to stop",
        "deadline_reached": "the time given to the run is up; what was begun is being ended",
        "reloaded": "the configuration was read anew and is in use",
        "reload_refused": "the configuration was read anew and cannot be used; the former one stays in use",
        "schedule_contradicted": "bounds and schedules of lists ask for more calls than there are, by collection",
        "quota_planned": "what polls and documents have of a day's calls, and how many days the back-fill takes",
        "fill_started": "older documents lack their details: polls get little of the day until they are there",
        "fill_finished": "older documents have their details; polls may take what documents do not need",
        "lap_finished": "a job had its turn and brought something, or failed at something",
        "work_failed": "something that a job did came to nothing; it is tried again",
        "people_notified": "a message was sent to people, with its title",
        "notice_failed": "a message or a sign of life did not arrive; it is tried again, with the reason",
        "part_stalled": "a part of the program gave no sign of life for too long",
        "job_blocked": "a job cannot do its work at present; it is tried again",
        "job_recovered": "a job that was blocked works again",
        "listening_started": "a socket is open, for webhooks or for those who watch",
        "listening_failed": "no socket is open for orders about payments; they work while the service is stopped",
        "command_executed": "what a person wanted done about payments was done by the service that holds the state",
        "command_unanswered": "the person who gave a command could not be answered",
        "watch_exposed": "health, metrics and page, which have no login, can be reached from other machines",
        "deliveries_applied": "webhooks were followed up, by what came of them",
        "delivery_postponed": "what webhooks announced could not be checked; it is tried again",
        "delivery_ignored": "a webhook was of a type that nobody knows",
        "deliveries_refused": "webhooks could not be kept and were answered so",
        "deliveries_delayed": "webhooks that any worker of the fleet kept cannot be taken into the state at present",
        "filter_changed": "the user's filter is another one; every record was judged anew",
        "scan_started": "a list is being read, from its first page or from where it was left",
        "page_committed": "a page's records and the progress are durable",
        "scan_finished": "a scan ended and proved complete",
        "scan_unproved": "a scan ended, but could not be proved complete; it is repeated, or a census is owed",
        "scan_failed": "a scan broke off; it goes on from that page",
        "record_rejected": "a row cannot be read and was quarantined with its raw JSON",
        "detail_saved": "a document's detail is durable",
        "details_advanced": "how many details a lap has fetched so far, and how many are still due",
        "detail_failed": "a document's detail was quarantined and is tried again later",
        "attachments_noted": "records with files were listed that were not known to have any",
        "attachments_not_listed": "the list of records with files could not be read; the next lap tries again",
        "file_stored": "an attached file is complete on disk",
        "files_advanced": "how many files a lap has fetched so far, and how many are still due",
        "file_postponed": "a file did not come; it is tried again after the others",
        "file_failed": "a file was quarantined and is tried again later",
        "files_omitted": "files are larger than max_bytes",
        "files_paused": "no file can be kept: the directory is unusable or its disk is full",
        "definition_saved": "the definition of a custom field is durable, with its options",
        "definition_failed": "the definition of a custom field could not be read; it is asked for again later",
        "definition_refused": "a custom field is gone or forbidden; its values stay as they are",
        "definitions_paused": "two custom fields in a row were forbidden; the others are asked for another time",
        "skew_detected": "Precoro reads modifiedSince in another time zone; scans reach back further from now on",
        "hidden_rows_believed": "a list counts rows that it never shows this key; they are waited for no more",
        "shape_changed": "Precoro's answers have another shape than before: fields, their types, statuses",
        "census_refused": "more rows are missing than one census may mark; nothing was marked",
        "census_inconclusive": "a missing document could not be asked for; the next census asks again",
        "census_postponed": "missing documents cannot be asked for at present; they are asked for later",
        "documents_vanished": "rows that Precoro no longer lists were marked",
        "grant_refreshed": "the accounting system gave a new token for the grant, and it is kept",
        "ledger_payments_received": "payments of the ledger were taken in",
        "ledger_payment_rejected": "a row of the ledger is no payment that can be read; it was quarantined",
        "ledger_list_doubted": "a full page of the ledger's list names no next page: it may go on",
        "ledger_files_skipped": "files in the ledger's folder are not read, as their names do not fit in_pattern",
        "ledger_rows_skipped": "rows of a file are no payments: totals, texts below the table, what `skip` has",
        "ledger_payment_postponed": "a payment of the ledger cannot be used yet",
        "ledger_payments_unmatched": "payments in the ledger are new and have no matching payable invoice",
        "ledger_reread": "the whole ledger is read again",
        "payment_planned": "a payment is to be made on the other side",
        "payments_planned": "so many payments at once are to be made on the other side",
        "payment_permitted": "the permission to send a payment is on disk",
        "payment_confirmed": "the other side has the payment",
        "payment_rejected": "the other side refused the payment, or it was taken back; nothing is owed",
        "payment_doubted": "a payment may or may not have been made; it is looked for, not repeated",
        "payment_review_needed": "a payment needs a person's decision",
        "payment_noted": "something was learned of a payment that does not change its state",
        "payment_doubled": "two payments where one was meant; look at once",
        "payments_suspended": "payments are planned, and nothing may be sent",
        "payments_decided": "a person decided about a payment that a lap was busy with; the next lap does the rest",
        "invoice_quarantined": "one invoice alone is odd or does not come; its payments wait, all others go on",
        "invoice_reopened": "an invoice is no longer paid or partly paid; what was exported for it stands",
        "items_planned": "a supplier's wanted items were held against Precoro's",
        "item_saved": "Precoro has taken a new or changed item",
        "item_doubted": "a write may or may not have been carried out; it is looked for before it is sent again",
        "item_refused": "Precoro refused an item, or took it otherwise than it was sent",
        "item_skipped": "an item changed at Precoro since the plan was made, or cannot be read; it was not written",
        "items_advanced": "how many writes of a plan a lap has made so far, and how many are left",
        "items_paused": "the writes of a plan cannot go on at present; the next lap tries again",
        "items_stopped": "a plan goes no further",
        "series_started": "an export into files begins anew, with a snapshot of its tables",
        "segment_saved": "an export wrote what changed, durably, and its position moved behind it",
        "tables_refilled": "an export fills its tables anew: they are new, have other columns, or cannot go on",
        "records_pushed": "a range of changes was pushed to a receiver, and the position moved behind it",
        "pushes_abandoned": "a receiver refused records for too long; they are dead letters: see `exports show`",
        "export_stopped": "the receiver of an export answered 410: it wants no more; the others go on",
        "export_failed": "an export cannot go on at present; it is tried again, and the others go on",
        "export_recovered": "an export works again",
        "fleet_joined": "this worker has a lease, and takes companies of the fleet",
        "fleet_disconnected": "the database of the fleet does not answer; no call leaves until it does",
        "fleet_crowded": "the workers take no more companies (fleet.most), and some are not served",
        "settings_differed": "workers of the fleet have different settings for one company; give all the same files",
        "worker_stalled": "this worker hung for two leases; others take its companies when its lease ends",
        "lease_expired": "this worker's lease ran out; its companies stop, and it joins anew",
        "company_acquired": "this worker has the lease of the company and serves it from now on",
        "company_returned": "the company stopped with an error; its lease is handed back",
        "company_deposed": "another worker serves the company now; it stops here at once",
        "call_refused": "Precoro answered 429; the window it named stays closed until its time",
        "key_doubted": "two calls in a row were forbidden; documents and files wait until another call succeeds",
        "call_retried": "a call failed and is repeated after a wait",
        "window_closed": "no call may leave until a window opens",
        "budget_spent": "the day's calls for this kind of work are used up",
        "same_get_scope_contradicted": "a 429 shows that identical GETs are counted otherwise than configured",
        "refused_calls_counted": "a 429 shows that a GET counts though it was refused; it waits for its own minute",
        "quota_shared": "a window is full beyond our own calls: others use the key, or less is granted",
        "library_warned": "a library below this program logged a warning or an error",
    }
)
"""Every event that may be logged, and what it tells. What is not here cannot be logged."""

_REDACTED = "[redacted]"
_SECRET_NAME = re.compile(r"token|secret|passw|authori[sz]ation|credential|api[-_]?key|e[-_]?mail", re.IGNORECASE)
_EXCERPT = 256
_SHORTEST_IN_WORDS_CHARS = 8
"""Letters of a secret that is replaced also within a word."""

_OUR_OWN = frozenset({"event", "job", "lane", "kind", "collection", "window", "stopped"})
"""Fields whose values are constants of this program: whatever the secret is, they are not it."""

Redact = Callable[[str], str]


class UndeclaredEvent(LookupError):
    """An event was logged that EVENTS does not declare. Add it there with its meaning."""


def get_logger() -> FilteringBoundLogger:
    """The program's logger: `log.info("run_started", job="take_census")`. May be called before `set_up`."""
    return cast("FilteringBoundLogger", _Logger())


class _Logger:
    """structlog's, which is loaded by the first line: a command that writes none has no use for it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_structlog().get_logger(), name)


@cache
def _structlog() -> ModuleType:
    """Until `set_up` is called names are checked and nothing is written.

    Where rich is there, structlog loads it for tracebacks with colours and local variables; ours have neither.
    """
    hidden = "rich" not in sys.modules
    if hidden:
        sys.modules["rich"] = cast("ModuleType", None)  # what Python itself takes for missing
    try:
        import structlog  # noqa: PLC0415
    finally:
        if hidden:
            del sys.modules["rich"]
    structlog.configure(processors=[_require_declared, _discard], cache_logger_on_first_use=False)
    return structlog


def bind(**names: str) -> None:
    """Each line of this task and of those it starts carries them from now on."""
    _structlog().contextvars.bind_contextvars(**names)


def set_up(
    level: Literal["debug", "info", "warning", "error"],
    form: Literal["auto", "json", "console"],
    *,
    secrets: Sequence[str],
    stream: TextIO,
    counted: Callable[[str, str], None] = lambda _level, _event: None,
    columns: Callable[[], int] | None = None,
) -> None:
    """Write log lines of `level` and above to `stream`; warnings of libraries among them, `secrets` nowhere.

    form  "json": one object a line; "console": for people; "auto": "console" if the stream is a terminal
    counted  is called with level and event of each line
    columns  how wide the terminal is, where the stream does not know; lines for people are wrapped to it
    """
    structlog = _structlog()
    for_people = form == "console" or (form == "auto" and stream.isatty())
    structlog.configure(
        processors=[
            _require_declared,
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            _Redaction(secrets),
            structlog.processors.add_log_level,
            _Counting(counted),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _console(stream, columns) if for_people else _render_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(stream),
        cache_logger_on_first_use=False,
    )
    import logging  # noqa: PLC0415 - who writes no line needs none

    root = logging.getLogger()
    root.addHandler(_bridge())  # it stands there once
    root.setLevel(logging.WARNING)


def redaction(secrets: Sequence[str]) -> Redact:
    """Replaces the secrets in a text, also as they stand in URLs and forms, and in any case of letters."""
    forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    if not forms:
        return str
    longest_first = sorted(forms, key=len, reverse=True)
    pattern = re.compile("|".join(map(_pattern_of, longest_first)), re.IGNORECASE)
    small = [form.lower() for form in longest_first]
    comparable = all(map(str.isascii, small))

    def redact(text: str) -> str:
        # To look for several forms letter by letter takes ten times as long. Without regard to case, some letters
        # beyond ASCII are letters of ASCII too; those are left to the pattern.
        if comparable and text.isascii():
            line = text.lower()
            for form in small:
                if form in line:
                    break
            else:
                return text
        return pattern.sub(_REDACTED, text)

    return redact


def _pattern_of(secret: str) -> str:
    """A short one stands in many words; there it is none."""
    exact = re.escape(secret)
    return exact if len(secret) >= _SHORTEST_IN_WORDS_CHARS else rf"(?<!\w){exact}(?!\w)"


def excerpt(body: bytes | str, secrets: Sequence[str]) -> str:
    """The beginning of a foreign text, fit for an error or a log: one printable line of at most 256 characters."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    # Redacted before it is cut: half a secret would not be recognised.
    text = redaction(secrets)(text)
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 8 * _EXCERPT]).split())
    return line if len(line) <= _EXCERPT else f"{line[: _EXCERPT - 1]}…"


@lru_cache(maxsize=1024)
def _is_secret_name(key: str) -> bool:
    """Remembered: the names are few, and each line has several."""
    return _SECRET_NAME.search(key) is not None


class _Redaction:
    """A processor after which the event holds only plain values, none of them a secret."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._redact = redaction(secrets)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {
            key: value if key in _OUR_OWN and isinstance(value, str) else self._plain(key, value)
            for key, value in event.items()
        }

    def _plain(self, key: str, value: Any) -> Any:
        if value is None or isinstance(value, (int, float)):
            return value
        if _is_secret_name(key):
            return _REDACTED
        if isinstance(value, str):
            return self._redact(str(value))
        match value:
            case Mapping():
                return {self._redact(str(name)): self._plain(str(name), held) for name, held in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._plain("", held) for held in value]
        return self._redact(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


class _Counting:
    """A processor that changes nothing."""

    def __init__(self, counted: Callable[[str, str], None]) -> None:
        self._counted = counted

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        self._counted(event["level"], event["event"])
        return event


class _Lines:
    """What structlog writes to. A log that cannot be written (disk full, pipe closed) must not stop the work; that is
    said once, where somebody may see it."""

    lost = False

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except (OSError, ValueError) as error:
            if not _Lines.lost:
                _Lines.lost = True
                with suppress(OSError, ValueError):
                    sys.stderr.write(f"precoro-daemon: the log cannot be written: {error}\n")

    debug = info = warning = error = critical = msg


@cache
def _bridge() -> logging.Handler:
    """Hands what libraries log through the standard library to the program's own log."""
    import logging  # noqa: PLC0415 - who writes no line needs none

    class Bridge(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            log = get_logger()
            log_line = log.error if record.levelno >= logging.ERROR else log.warning
            log_line("library_warned", logger=record.name, message=_message(record), exc_info=record.exc_info)

    return Bridge()


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        return f"{record.msg} {record.args}"


def _require_declared(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if event["event"] not in EVENTS:
        raise UndeclaredEvent(event["event"])
    return event


def _discard(*_: Any) -> NoReturn:
    raise _structlog().DropEvent


def _render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    import orjson  # noqa: PLC0415 - who writes no line needs none

    ordered = {key: event.pop(key) for key in ("timestamp", "level", "event")} | dict(event)
    try:
        return visible(orjson.dumps(ordered).decode())
    except TypeError:  # orjson refuses what JSON can hold: whole numbers over 64 bits, half a surrogate pair
        return json.dumps(ordered)


def _console(stream: TextIO, columns: Callable[[], int] | None) -> Callable[[Any, str, EventDict], str]:
    is_colourful = stream.isatty() and not os.environ.get("NO_COLOR")
    width = columns or (partial(_columns_of, stream) if stream.isatty() else None)
    return lambda _logger, _method, event: line_for_people(event, width and width(), is_colourful=is_colourful)


def _columns_of(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
