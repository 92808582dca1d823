"""a receiver over HTTP: one POST for each record, signed as Standard Webhooks specifies"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ssl import SSLContext
from typing import Any

import aiohttp
import anyio.to_thread
import orjson
from yarl import URL

from precoro_daemon import __version__
from precoro_daemon.adapters.exports.lines import json_of
from precoro_daemon.adapters.http.faults import FAULTS, Faults, unix
from precoro_daemon.adapters.http.guarded import Guard, shown
from precoro_daemon.adapters.http.route import Route, route_in_use
from precoro_daemon.errors import (
    AddressRefused,
    ConnectionFault,
    DaemonError,
    PushRefused,
    RateLimited,
    ReceiverBusy,
    ReceiverGone,
)
from precoro_daemon.exports.ports.feed import RecordKey
from precoro_daemon.exports.ports.pushes import Push, Receiver
from precoro_daemon.exports.ports.tables import Cells, Table
from precoro_daemon.telemetry import excerpt

_OF_THE_RECORD = frozenset({400, 402, 406, 409, 411, 412, 413, 414, 415, 416, 417, 422, 428, 431, 451})
"""Status codes that concern one record. Every other code means that the receiver takes nothing at present."""

_READ_BYTES = 300
"""The bytes read of an answer that refuses a push."""

_ASKED_TO_WAIT_S = 60.0
"""The wait after a 429 without Retry-After."""


@dataclass(frozen=True, slots=True)
class Address:
    """url      where records are sent
    secrets  each signs every push, so that secrets can be rotated
    allowed  hosts that may be private, local or without https
    """

    url: str
    secrets: Sequence[bytes]
    allowed: Sequence[str]
    timeout: float
    in_flight: int

    @property
    def fingerprint(self) -> str:
        """Identifies this receiver."""
        return hashlib.sha256(self.url.encode()).hexdigest()


@asynccontextmanager
async def open_receiver(address: Address, section: str) -> AsyncIterator[Receiver]:
    """Opens the receiver. `section` is its section of the configuration. Raises AddressRefused,
    ConfigurationError.
    """
    guard, route = Guard(address.allowed, section), route_in_use()
    guard.check(URL(address.url))
    trust: SSLContext | bool = await anyio.to_thread.run_sync(route.trust) if route.ca_file else True
    faults = Faults()
    async with aiohttp.ClientSession(
        connector=guard.connector(trust, limit=address.in_flight),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"precoro-daemon/{__version__}", "Content-Type": "application/json"},
        middlewares=(faults.once,),
        timeout=aiohttp.ClientTimeout(address.timeout),
    ) as session:
        yield _Receiver(address, session, guard, route, faults)


def sign(ident: str, at: int, body: bytes, secrets: Sequence[bytes]) -> Mapping[str, str]:
    """Returns the headers that prove sender and time, with one signature for each secret."""
    signed = b".".join((ident.encode(), str(at).encode(), body))
    signatures = (base64.b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in secrets)
    return {
        "webhook-id": ident,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }


def body_of(push: Push, table: Table, record: RecordKey, rows: Sequence[Cells]) -> bytes:
    """Returns the body of a push. It is the same for every attempt, unless the record changed meanwhile."""
    there = any(cells[table.at("vanished_at")] is None for cells in rows)
    kind = "changed" if there else "deleted"
    data = _data(table, record, rows)
    at = datetime.fromtimestamp(int(push.settled_at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return orjson.dumps({"type": f"{table.name}.{kind}", "timestamp": at, "data": data})


def _data(table: Table, record: RecordKey, rows: Sequence[Cells]) -> Mapping[str, Any]:
    """Returns the record's row; or, for a table of parts, the record's id and all its rows."""
    if table.is_of_records:
        return json_of(table, rows[0]) if rows else {table.key: record[1]}
    known = dict(zip(("collection", table.key), record, strict=True))
    named = {column.name: known[column.name] for column in table.columns if column.name in known}
    return {**named, table.name: [json_of(table, cells) for cells in rows]}


class _Receiver:
    """Implements `exports.ports.Receiver`."""

    def __init__(
        self, address: Address, session: aiohttp.ClientSession, guard: Guard, route: Route, faults: Faults
    ) -> None:
        self._address, self._session, self._guard, self._faults = address, session, guard, faults
        self._url = URL(address.url)
        self._proxy = route.proxy_for(self._url)

    async def deliver(self, push: Push, table: Table, record: RecordKey, rows: Sequence[Cells]) -> None:
        body = body_of(push, table, record, rows)
        headers = sign(push.id, int(time.time()), body, self._address.secrets)
        self._guard.enter(self._url, proxied=self._proxy is not None)
        failure: DaemonError | None
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False, proxy=self._proxy
            ) as answer:
                failure = None if answer.ok and answer.status < 300 else await self._failure(answer)
        except (AddressRefused, ConnectionFault, *FAULTS) as error:
            failure = error if isinstance(error, AddressRefused) else self._faults.of(shown(self._url), error)
        if failure is not None:  # outside of the `except`: the error behind it carries headers
            raise failure

    async def probe(self) -> str:
        """Sends HEAD. A handler made for POST answers 405 or 404 to it and does nothing."""
        self._guard.enter(self._url, proxied=self._proxy is not None)
        try:
            async with self._session.head(self._url, allow_redirects=False, proxy=self._proxy) as answer:
                return f"{shown(self._url)} answers ({answer.status} to a HEAD)"
        except (AddressRefused, ConnectionFault, *FAULTS) as error:
            failure = error if isinstance(error, AddressRefused) else self._faults.of(shown(self._url), error)
        raise failure

    async def _failure(self, answer: aiohttp.ClientResponse) -> DaemonError:
        said = excerpt((await answer.content.read(_READ_BYTES)).decode(errors="replace"), ())
        text = f"{shown(self._url)} answered {answer.status}{f': {said}' if said else ''}"
        if answer.status == 410:
            return ReceiverGone(f"{text}; it wants no more: give the export another url, or run `exports replay`")
        if answer.status in _OF_THE_RECORD:
            return PushRefused(text)
        if answer.status == 429:
            return RateLimited(text, wait=self._asked_to_wait(answer) or _ASKED_TO_WAIT_S)
        if 300 <= answer.status < 400:
            text += "; no redirect is followed: name the address that it leads to as url"
        return ReceiverBusy(text, wait=self._asked_to_wait(answer))

    def _asked_to_wait(self, answer: aiohttp.ClientResponse) -> float | None:
        """Returns the seconds of a Retry-After header, which holds seconds or an HTTP date."""
        given = answer.headers.get("Retry-After", "").strip()
        if given.isascii() and given.isdecimal():
            return float(given[:9])
        at = unix(given) if given else None
        return None if at is None else max(at - time.time(), 0.0)
