"""reading and writing items over HTTP"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain

from precoro_daemon.adapters.http.exchange import Request
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.precoro.client import PrecoroClient
from precoro_daemon.adapters.precoro.item_forms import creation_form, replacement_form
from precoro_daemon.adapters.precoro.payloads import read_detail
from precoro_daemon.adapters.precoro.single_writes import SingleWrites
from precoro_daemon.catalogue.ports.gateway import ItemReplacement, NewItem
from precoro_daemon.errors import Forbidden, MalformedAnswer
from precoro_daemon.mirror.ports.precoro import ListRequest
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.documents import Record
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.quota.limits import Lane
from precoro_daemon.values.json_reading import read_json
from precoro_daemon.writes.outcome import Convention, Outcome, OutcomeKind
from precoro_daemon.writes.permit import Permit

_ITEM_COLLECTION = COLLECTIONS["items"]

_LANE = Lane.DETAILS
"""A plan of thousands of writes must leave payments, deliveries and lists their calls. It shares the rest with
details,
in the order of the jobs, and precedes files and the census.
"""


def _gone(text: str) -> Outcome[str]:
    return Outcome(OutcomeKind.REFUSED, text)


def _forbidden(text: str) -> Outcome[str]:
    text = f"{text}; the key's user may not write items; give the user the role"
    return Outcome(OutcomeKind.UNSENT, text, ended=Forbidden(text))


_ITEM_CONVENTION = Convention(believed={403: _forbidden, 404: _gone})


class HttpItemGateway:
    """Implements `ports.gateway.ItemGateway`."""

    def __init__(self, client: PrecoroClient, retrying: Retrying, writes: SingleWrites) -> None:
        self._client = client
        self._retrying = retrying
        self._writes = writes

    async def read_item(self, ident: int) -> str:
        return (await self._client.detail(_ITEM_COLLECTION, ident, _LANE)).raw

    @asynccontextmanager
    async def changed_items(self, supplier: int, since: float) -> AsyncIterator[AsyncIterator[Sequence[Record]]]:
        wanted = ListRequest(_ITEM_COLLECTION, Filter(supplier=frozenset({supplier})), since)
        async with self._client.scan(wanted, _LANE, 1) as batches:
            yield (list(chain.from_iterable(page.records for page in pages)) async for pages in batches)

    async def create_item(self, item: NewItem, permit: Permit) -> Outcome[str]:
        request = Request("POST", _ITEM_COLLECTION.path, form=creation_form(item), lane=_LANE)
        return await self._writes.write(request, permit, _read_item, _ITEM_CONVENTION)

    async def replace_item(self, item: ItemReplacement, permit: Permit) -> Outcome[str]:
        request = Request("PUT", f"{_ITEM_COLLECTION.path}/{item.id}", form=replacement_form(item), lane=_LANE)
        return await self._writes.write(request, permit, lambda body: _read_item(body, item.id), _ITEM_CONVENTION)

    async def name_item(self, ident: int, external_id: str) -> None:
        form = (("externalId", external_id),)
        request = Request("PATCH", f"{_ITEM_COLLECTION.path}/{ident}", form=form, lane=_LANE)
        await self._retrying.send(request, lambda _: None)

    async def wait(self, seconds: float) -> None:
        await self._writes.wait(seconds)


def _read_item(body: bytes, ident: int | None = None) -> str | None:
    """Returns the item in a good answer, None if there is none or its id is not `ident`."""
    raw = read_json(body)
    inner = raw.get("data", raw) if isinstance(raw, dict) else None
    found = inner.get("id") if isinstance(inner, dict) else None
    try:
        return None if found is None else read_detail(body, collection=_ITEM_COLLECTION, key=ident or str(found)).raw
    except MalformedAnswer:
        return None
