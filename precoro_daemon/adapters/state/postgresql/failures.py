"""what PostgreSQL refuses, said to the operator"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout, TooManyRequests

from precoro_daemon.errors import StoreHeld, StoreUnavailable, StoreUnusable

DEPOSED = "PD001"
"""SQLSTATE of our own: see `demand_holder` in the schema."""

_UNREACHED = "The server of the state {where} cannot be reached: {error}. Start it, or check the address."
_CUT_OFF = (
    "The connection to the state {where} was lost in the middle of something: {error}. What became of it is read "
    "from the state at the next start."
)
_DEPOSED = "The state {where} was opened by another process since; this one writes nothing any more."
_REJECTED = "The server of the state {where} refuses user or password: {error}."
_NO_DATABASE = "There is no such database for the state {where}: {error}. Create it first."
_NOT_WRITABLE = (
    "The state {where} cannot be written: {error}. It may be a standby, or be failing over; name the server that is "
    "written to, or run again later."
)
_FULL = "The disk of the state {where} is full: {error}. Free some space and run again; what is stored is whole."
_RIGHTS = "The user of the state {where} lacks a right: {error}. Let it own the schema of the state."
_ALTERED = (
    "The tables of the state {where} are not as this program made them: {error}. Take back what was changed in the "
    "schema, or restore it."
)
_SLOW = "The state {where} did not answer in time: {error}. Run again; look at the locks and the load of the server."
_CROWDED = "The server of the state {where} takes no more connections: {error}. Raise max_connections, or run again."
_CONFLICT = "Another program writes into the state {where}: {error}. Close it and run again."
_CORRUPT = "The state {where} is damaged: {error}. Restore the database from a backup."
_UNFORESEEN = "The state {where} cannot be used: {error}."

_TEMPORARY = frozenset({_UNREACHED, _CUT_OFF, _NOT_WRITABLE, _FULL, _SLOW, _CROWDED, _CONFLICT})

_SENTENCE_BY_ERROR: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((PoolTimeout, TooManyRequests), _UNREACHED),
    ((errors.InvalidPassword, errors.InvalidAuthorizationSpecification), _REJECTED),
    ((errors.InvalidCatalogName,), _NO_DATABASE),
    ((errors.ReadOnlySqlTransaction,), _NOT_WRITABLE),
    ((errors.DiskFull,), _FULL),
    ((errors.InsufficientPrivilege,), _RIGHTS),
    ((errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction, errors.InvalidSchemaName), _ALTERED),
    ((errors.QueryCanceled, errors.LockNotAvailable, errors.IdleInTransactionSessionTimeout), _SLOW),
    ((errors.TooManyConnections, errors.ConfigurationLimitExceeded), _CROWDED),
    ((errors.DeadlockDetected, errors.SerializationFailure), _CONFLICT),
    ((errors.DataCorrupted, errors.IndexCorrupted), _CORRUPT),
    ((errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow, errors.IdleSessionTimeout), _CUT_OFF),
)


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn what PostgreSQL says about the state into StoreUnusable."""
    try:
        yield
    except psycopg.Error as error:
        raise said(where, error) from error


def said(where: str, error: psycopg.Error) -> StoreUnusable | StoreHeld:
    words = " ".join((error.diag.message_primary or str(error) or type(error).__name__).split()).rstrip(".")
    if error.sqlstate == DEPOSED:
        return StoreHeld(_DEPOSED.format(where=where))
    sentence = _sentence(error)
    kind = StoreUnavailable if sentence in _TEMPORARY else StoreUnusable
    return kind(sentence.format(where=where, error=words))


def _sentence(error: psycopg.Error) -> str:
    for classes, sentence in _SENTENCE_BY_ERROR:
        if isinstance(error, classes):
            return sentence
    if error.sqlstate is not None:
        return _CUT_OFF if error.sqlstate.startswith(("08", "57P")) else _UNFORESEEN
    if not isinstance(error, psycopg.OperationalError):
        return _UNFORESEEN
    return _REJECTED if "password" in str(error) else _CUT_OFF  # libpq itself, without a code


def unreached(where: str, error: psycopg.Error) -> StoreUnusable | StoreHeld:
    """While connecting nothing is lost: libpq gives no code, only the server's words."""
    words = " ".join(str(error).split())
    if "password authentication failed" in words or "no password supplied" in words:
        return StoreUnusable(_REJECTED.format(where=where, error=words))
    if "does not exist" in words and "database" in words:
        return StoreUnusable(_NO_DATABASE.format(where=where, error=words))
    if "too many" in words or "remaining connection slots" in words:
        return StoreUnavailable(_CROWDED.format(where=where, error=words))
    if "pg_hba.conf" in words or ('role "' in words and "does not exist" in words):
        return StoreUnusable(_REJECTED.format(where=where, error=words))
    return StoreUnavailable(_UNREACHED.format(where=where, error=words))
