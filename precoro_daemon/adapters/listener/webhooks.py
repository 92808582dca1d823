"""webhooks on a secret path: checked, read within limits, stored, then answered"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
import structlog
from aiohttp import web

from precoro_daemon.adapters.listener.serving import serving
from precoro_daemon.errors import StoreUnusable
from precoro_daemon.mirror.ports.deliveries import Delivery, DeliveryInbox
from precoro_daemon.mirror.rules.deliveries import COLLECTION_BY_TYPE, read_delivery
from precoro_daemon.runtime.guard import guarded
from precoro_daemon.runtime.ports import Clock, PartPulse
from precoro_daemon.telemetry import get_logger
from precoro_daemon.values.addresses import Address

_log = get_logger()

_BODY_BYTES = 4096
"""The largest body in bytes. Precoro sends about sixty."""

_WEBHOOK_CONNECTIONS = 200
"""Concurrent connections; each takes a few kilobytes."""

WEBHOOK_PATIENCE_S = 15.0
"""Real seconds of a connection."""

_UNKNOWN_TYPES_LOGGED = 20
"""Unknown types that the log names; further ones are not worth a line."""


async def _ignore(_type: int) -> None:
    """Ignores an unknown type."""


@dataclass(frozen=True, slots=True)
class Reception:
    """What receiving webhooks needs: the secrets, where deliveries are stored, and whom to notify.

    answers   counts the answers by status
    pulse     signals liveness while deliveries are stored
    patience  seconds from the start of a connection to its end
    unknown   called once for each unknown type; raises StoreUnusable
    """

    secrets: Sequence[str]
    deliveries: DeliveryInbox
    clock: Clock
    wake: Callable[[], None]
    answers: Counter[int] = field(default_factory=Counter)
    pulse: PartPulse = field(default_factory=lambda: PartPulse("webhooks"))
    patience: float = WEBHOOK_PATIENCE_S
    unknown: Callable[[int], Awaitable[None]] = _ignore


@asynccontextmanager
async def webhooks(reception: Reception, address: Address) -> AsyncIterator[Address]:
    """Accepts webhooks until the context ends, and yields the actual address. Raises ListenerUnusable."""
    entrance = Entrance(reception.answers)
    async with entrance.open(address, reception.patience) as real, entrance.admitting(reception):
        yield real


class Entrance:
    """Routes each webhook to the company with that secret path. `answers` counts those without a company."""

    def __init__(self, answers: Counter[int]) -> None:
        self._answers = answers
        self._handlers: list[_WebhookHandler] = []

    @asynccontextmanager
    async def open(self, address: Address, patience: float = WEBHOOK_PATIENCE_S) -> AsyncIterator[Address]:
        """Serves until the context ends, and yields the actual address. Raises ListenerUnusable."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._receive)
        async with serving(app, address, most=_WEBHOOK_CONNECTIONS, patience=patience) as real:
            yield real

    @asynccontextmanager
    async def admitting(self, reception: Reception) -> AsyncIterator[None]:
        """Accepts a company's webhooks until the context ends. Their log lines have the present task's context."""
        handler = _WebhookHandler(reception)
        async with anyio.create_task_group() as group:
            group.start_soon(guarded, "the task that keeps deliveries", handler.keep, name="deliveries")
            self._handlers.append(handler)
            try:
                yield
            finally:
                self._handlers.remove(handler)
                handler.close()
            group.cancel_scope.cancel()

    async def _receive(self, request: web.Request) -> web.Response:
        """Compares all secrets, so that the duration reveals nothing about them."""
        found = [handler for handler in self._handlers if handler.admits(request.path)]
        if found:
            return await found[0].receive(request)
        self._answers[404] += 1
        return web.Response(status=404)


class _WebhookHandler:
    """Requests wait while one transaction after the other stores all deliveries that arrived meanwhile."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._secrets = [secret.encode() for secret in reception.secrets]
        self._batch = _Batch()
        self._logged_types: set[int] = set()
        self._said_in_logs = structlog.contextvars.get_contextvars()

    async def receive(self, request: web.Request) -> web.Response:
        status = await self._status(request)
        self._reception.answers[status] += 1
        return web.Response(status=status)

    async def _status(self, request: web.Request) -> int:
        if request.method != "POST":
            return 405
        try:
            if (body := await _read(request)) is None:
                return 413
            type_, id_, idn = read_delivery(body)
        except (ValueError, web.RequestPayloadError):
            return 400
        if type_ not in COLLECTION_BY_TYPE:
            await self._note_unknown(type_)
            return 202
        return await self._keep(Delivery(type_, id_, idn))

    def admits(self, path: str) -> bool:
        """Compares in constant time with every secret."""
        given = path.removeprefix("/").encode()
        return sum(hmac.compare_digest(given, secret) for secret in self._secrets) > 0

    async def _note_unknown(self, type_: int) -> None:
        if type_ not in self._logged_types and len(self._logged_types) < _UNKNOWN_TYPES_LOGGED:
            self._logged_types.add(type_)
            _log.warning("delivery_ignored", type=type_, reason="no such type is known", **self._said_in_logs)
            with suppress(StoreUnusable):  # whose reason others say
                await self._reception.unknown(type_)

    async def _keep(self, delivery: Delivery) -> int:
        batch, record = self._batch, (delivery.type, delivery.id)
        if delivery.idn is not None or record not in batch.deliveries:
            batch.deliveries[record] = delivery
        batch.begun.set()
        await batch.kept.wait()
        return 503 if batch.refused is None or record in batch.refused else 204

    def close(self) -> None:
        """Answers the waiting requests: nothing was stored."""
        self._batch.kept.set()

    async def keep(self) -> None:
        """Stores deliveries for as long as webhooks are accepted."""
        while True:
            batch = self._batch
            await batch.begun.wait()
            self._batch = _Batch()
            self._reception.pulse.begin(self._reception.clock.now())
            try:
                refused = await self._reception.deliveries.note(
                    tuple(batch.deliveries.values()), at=self._reception.clock.now()
                )
                batch.refused = {(one.type, one.id) for one in refused}
            except StoreUnusable as error:
                _log.error("deliveries_refused", count=len(batch.deliveries), reason=str(error))
            self._reception.pulse.rest()
            batch.kept.set()
            self._reception.wake()


@dataclass(eq=False, slots=True)
class _Batch:
    """Deliveries that one transaction stores, one for each record.

    refused  None until the transaction has ended
    """

    deliveries: dict[tuple[int, int], Delivery] = field(default_factory=dict)
    refused: Collection[tuple[int, int]] | None = None
    begun: anyio.Event = field(default_factory=anyio.Event)
    kept: anyio.Event = field(default_factory=anyio.Event)


async def _read(request: web.Request) -> bytes | None:
    """Returns the body, None if it is too large, and reads no more than needed to see that."""
    if (request.content_length or 0) > _BODY_BYTES:
        return None
    body = b""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > _BODY_BYTES:
            return None
    return body
