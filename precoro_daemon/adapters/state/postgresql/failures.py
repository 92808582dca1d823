"""PostgreSQL's errors, explained to the operator"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout, TooManyRequests

from precoro_daemon.errors import StoreHeld, StoreUnavailable, StoreUnusable

DEPOSED = "PD001"
"""Our own SQLSTATE: see `demand_holder` in the schema."""

_UNREACHED = "The server of {where} cannot be reached: {error}. Start it, or check the address."
_NOT_READY = "The server of {where} is not ready: {error}. Wait for it, or run again later."
_CUT_OFF = (
    "The connection to {where} was lost in the middle of something: {error}. What became of it is looked up before "
    "anything else is done."
)
_DEPOSED = "{Where} was opened by another process since; this one writes nothing any more."
_REJECTED = "The server of {where} refuses user or password: {error}."
_NO_DATABASE = "There is no such database for {where}: {error}. Create it first."
_UNENCRYPTED = (
    "The server of {where} does not encrypt: {error}. Turn on ssl there, since it is on another machine, or reach it "
    "by a tunnel that ends on this one."
)
_UNPROVED = (
    "The server of {where} does not prove who it is: {error}. Name who vouches for it as ca_file in [state], and the "
    "server as its certificate does."
)
_POOLER = (
    "The pooler before the server of {where} takes no such connection: {error}. Write ignore_startup_parameters = "
    "options into pgbouncer.ini, or name the server itself."
)
_POOL_SPENT = (
    "The pooler before the server of {where} has no connection left: {error}. Raise default_pool_size and "
    "max_client_conn in pgbouncer.ini, or name the server itself."
)
_STATEMENT_MODE = (
    "The pooler before the server of {where} keeps no transaction together: {error}. Write pool_mode = transaction "
    "into pgbouncer.ini, or name the server itself."
)
_NOT_WRITABLE = (
    "{Where} cannot be written: {error}. It may be a standby, or be failing over; name the server that is written "
    "to, or run again later."
)
_FULL = "The disk of {where} is full: {error}. Free some space and run again; what is stored is whole."
_RIGHTS = "The user of {where} lacks a right: {error}. Let it own the schema, or make one."
_ALTERED = (
    "The tables of {where} are not as this program made them: {error}. Take back what was changed in the schema, or "
    "restore it."
)
_SLOW = "{Where} did not answer in time: {error}. Run again; look at the locks and the load of the server."
_CROWDED = "The server of {where} takes no more connections: {error}. Raise max_connections, or run again."
_CONFLICT = "Another program writes into {where}: {error}. Close it and run again."
_CORRUPT = "{Where} is damaged: {error}. Restore the database from a backup."
_UNFORESEEN = "{Where} cannot be used: {error}."

_TEMPORARY = frozenset(
    {_UNREACHED, _NOT_READY, _CUT_OFF, _NOT_WRITABLE, _FULL, _SLOW, _CROWDED, _POOL_SPENT, _CONFLICT}
)

_SENTENCE_BY_ERROR: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((PoolTimeout, TooManyRequests), _UNREACHED),
    ((errors.InvalidPassword, errors.InvalidAuthorizationSpecification), _REJECTED),
    ((errors.InvalidCatalogName,), _NO_DATABASE),
    ((errors.ReadOnlySqlTransaction,), _NOT_WRITABLE),
    ((errors.DiskFull,), _FULL),
    ((errors.InsufficientPrivilege,), _RIGHTS),
    ((errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction, errors.InvalidSchemaName), _ALTERED),
    ((errors.QueryCanceled, errors.LockNotAvailable), _SLOW),
    ((errors.IdleInTransactionSessionTimeout, errors.TransactionTimeout), _SLOW),
    ((errors.TooManyConnections, errors.ConfigurationLimitExceeded), _CROWDED),
    ((errors.DeadlockDetected, errors.SerializationFailure), _CONFLICT),
    ((errors.DataCorrupted, errors.IndexCorrupted), _CORRUPT),
    ((errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow, errors.IdleSessionTimeout), _CUT_OFF),
)


_SENTENCE_BY_WORDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("password authentication failed", "no password supplied", "pg_hba.conf"), _REJECTED),
    (("unsupported startup parameter",), _POOLER),
    (("server does not support SSL",), _UNENCRYPTED),
    (("certificate verify failed", "server certificate for", "root certificate", "sslrootcert"), _UNPROVED),
    (("statement pooling mode",), _STATEMENT_MODE),
    (("query_wait_timeout", "no more connections allowed"), _POOL_SPENT),
    (("too many", "remaining connection slots"), _CROWDED),
    (("the database system is",), _NOT_READY),
    (("no such database",), _NO_DATABASE),
    (("wait timeout expired",), _SLOW),
)
"""For errors without a code, or with one that fits any trouble with a connection: the server's, a pooler's or
libpq's.
"""

_RAMBLING = re.compile(
    r"^connection (is bad|failed): |^consuming input failed: |\s*Is the server running [^?]*\?"
    r"|\s*This probably means the server terminated [^.]*\."
)
"""Prefixes by psycopg and guesses by libpq that add nothing to the sentence."""


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turns PostgreSQL's errors about the state into StoreUnusable. `where` names the state."""
    try:
        yield
    except psycopg.Error as error:
        raise said(f"the state {where}", error) from error


def said(what: str, error: psycopg.Error) -> StoreUnusable | StoreHeld:
    """Returns the error for a failed statement. `what` names its subject for people."""
    if error.sqlstate == DEPOSED:
        return StoreHeld(_put(_DEPOSED, what, error))
    return _failure(_sentence(error), what, error)


def unreached(what: str, error: psycopg.Error) -> StoreUnusable:
    """Returns the error for a failed connection attempt: nothing was lost."""
    return _failure(_sentence_by_words(str(error), _UNREACHED), what, error)


def lacks_right(what: str, right: str) -> StoreUnusable:
    return StoreUnusable(_RIGHTS.format(where=what, error=right))


def _failure(sentence: str, what: str, error: psycopg.Error) -> StoreUnusable:
    kind = StoreUnavailable if sentence in _TEMPORARY else StoreUnusable
    return kind(_put(sentence, what, error))


def _put(sentence: str, what: str, error: psycopg.Error) -> str:
    words = error.diag.message_primary or str(error) or type(error).__name__
    words = _RAMBLING.sub("", " ".join(words.split())).rstrip(".")
    return sentence.format(where=what, Where=f"{what[:1].upper()}{what[1:]}", error=words)


def _sentence(error: psycopg.Error) -> str:
    for classes, sentence in _SENTENCE_BY_ERROR:
        if isinstance(error, classes):
            return sentence
    if error.sqlstate is not None and not error.sqlstate.startswith("08"):
        return _CUT_OFF if error.sqlstate.startswith("57P") else _UNFORESEEN
    if not isinstance(error, psycopg.OperationalError):
        return _UNFORESEEN
    return _sentence_by_words(str(error), _CUT_OFF)


def _sentence_by_words(words: str, otherwise: str) -> str:
    for parts, sentence in _SENTENCE_BY_WORDS:
        if any(part in words for part in parts):
            return sentence
    if "does not exist" in words and ("database" in words or 'role "' in words):
        return _REJECTED if 'role "' in words else _NO_DATABASE
    return otherwise
