"""writing items over HTTP: requests that are never repeated, and what their answers mean"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain

from precoro_daemon.adapters.http.exchange import Answer, Credentials, Exchange, Request, describe
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.precoro.client import PrecoroClient
from precoro_daemon.adapters.precoro.payloads import read_detail
from precoro_daemon.adapters.precoro.refusals import REFUSING, errors_in, is_documented, loads
from precoro_daemon.catalogue.ports import Permission, Written
from precoro_daemon.errors import DaemonError, DoubtfulError, Forbidden, MalformedAnswer, TemporaryError
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.documents import Record
from precoro_daemon.mirror.rules.filters import Query, modified_since
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.ports import Clock

_STALE = 5.0
"""Seconds after the permission from which nothing may leave any more."""

_ITEMS = COLLECTIONS["items"]

_LANE = Lane.DETAILS
"""A plan of thousands of writes must leave payments, deliveries and lists their calls. It shares what is left with
details, by whoever comes first, and comes before files and the census."""


class HttpItemGateway:
    """Implements `ports.ItemDesk`."""

    def __init__(
        self, client: PrecoroClient, retrying: Retrying, once: Exchange, credentials: Credentials, clock: Clock
    ) -> None:
        self._client = client
        self._retrying = retrying
        self._once = once
        self._secrets = credentials.secrets
        self._clock = clock

    async def read_item(self, ident: int) -> str:
        return (await self._client.detail(_ITEMS, ident, _LANE)).raw

    @asynccontextmanager
    async def changed(self, supplier: int, since: float) -> AsyncIterator[AsyncIterator[Sequence[Record]]]:
        query = (("supplier[]", str(supplier)), *modified_since(since))
        async with self._client.scan(_ITEMS, query, _LANE, 1) as batches:
            yield (list(chain.from_iterable(page.records for page in pages)) async for pages in batches)

    async def create(self, form: Query, permission: Permission) -> Written:
        return await self._write("POST", _ITEMS.path, form, permission)

    async def replace(self, ident: int, form: Query, permission: Permission) -> Written:
        return await self._write("PUT", f"{_ITEMS.path}/{ident}", form, permission)

    async def name_item(self, ident: int, external_id: str) -> None:
        form = (("externalId", external_id),)
        request = Request("PATCH", f"{_ITEMS.path}/{ident}", form=form, lane=_LANE)
        await self._retrying.send(request, lambda _: None)

    async def rest(self, seconds: float) -> None:
        await self._once.sleep(seconds)

    async def _write(self, method: str, path: str, form: Query, permission: Permission) -> Written:
        permitted_at: float | None = None

        def may_leave() -> bool:
            return permitted_at is not None and self._clock.now() - permitted_at <= _STALE

        async def ask() -> None:
            nonlocal permitted_at
            await permission()
            permitted_at = self._clock.now()

        request = Request(method, path, form=form, lane=_LANE, may_leave=may_leave, once=True)
        try:
            answer = await self._once.send_once(request, ask)
        except DaemonError as error:
            if permitted_at is None:
                raise
            return _failed(error)
        return self._judge(request, answer)

    def _judge(self, request: Request, answer: Answer) -> Written:
        said = describe(request, answer, self._secrets)
        if 200 <= answer.status < 300:
            raw = _item(answer.body, request.path)
            return Written("accepted", said, raw) if raw else Written("unknown", said)
        if answer.status == 429 and is_documented(answer):
            return Written("unsent", said)
        if answer.status == 403 and loads(answer.body) is not None:
            text = f"{said}; the key's user may not write items; give the user the role"
            return Written("unsent", text, ended=Forbidden(text))
        gone = answer.status == 404 and loads(answer.body) is not None
        return Written(
            "refused" if gone or (answer.status in REFUSING and errors_in(answer.body)) else "unknown", said
        )


def _failed(error: DaemonError) -> Written:
    """What a failure after the permission means. Only what never left is known to have done nothing."""
    if isinstance(error, DoubtfulError):
        return Written("unknown", str(error))
    if isinstance(error, TemporaryError):
        return Written("unsent", str(error))
    return Written("unknown", str(error), ended=error)


def _item(body: bytes, path: str) -> str:
    """The item in a good answer, "" if there is none or it is another one."""
    _, _, key = path.removeprefix(_ITEMS.path).partition("/")
    raw = loads(body)
    inner = raw.get("data", raw) if isinstance(raw, dict) else None
    ident = inner.get("id") if isinstance(inner, dict) else None
    try:
        return read_detail(body, collection=_ITEMS, key=key or str(ident)).raw if ident is not None else ""
    except MalformedAnswer:
        return ""
