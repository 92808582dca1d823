"""a few calls that show how Precoro treats this account, each fact as soon as it is known"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import msgspec

from precoro_daemon.adapters.precoro.probes import Probed
from precoro_daemon.app.company import Gateway
from precoro_daemon.errors import BudgetSpent, PermanentError, TemporaryError
from precoro_daemon.files.rules.attachments import Attachment, read_attachments
from precoro_daemon.mirror.ports.precoro import ListRequest
from precoro_daemon.mirror.rules.collections import COLLECTIONS, WITH_FILES, Collection
from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.mirror.rules.documents import Record
from precoro_daemon.mirror.rules.examination import (
    EVERY_ZONE,
    narrowed,
    newest_change,
    next_zone,
    order_of,
    question,
    totals_of,
    unit_of,
    zone_name,
)
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.status.facts import Fact

MOST_CALLS = 18
"""Of one examination: lists until one has rows (4), questions about the time zone (8), a file (6). Most take 8."""

_QUESTIONS = 8
_QUESTIONS_WHERE_EACH_WAITS = 2
"""About the time zone: as many as it takes, or those that tell whether it is UTC."""

_LISTS_TRIED = ("invoices", "purchase_orders", "suppliers", "items")
"""Lists that are tried until one has rows enough."""

_ROWS = (100, 200)
"""Of a page: not as many as scans ask for. The same GET would have to wait for a minute."""

_FEW_ROWS = 10
_ENOUGH_ROWS = 5
_LARGEST_FILE_BYTES = 5_000_000


@dataclass(slots=True)
class Examination:
    """Of one account.

    collections  those that the configuration has, and so the key may see
    per_page     of scans
    by_path      calls leave as if the path alone counted, so that none can show what does
    found        as far as it got
    """

    gateway: Gateway
    clock: Clock
    collections: Sequence[str]
    per_page: int
    by_path: bool
    found: list[Fact] = field(default_factory=list, init=False)
    _limits: dict[str, str] = field(default_factory=dict, init=False)

    async def run(self, patience: float) -> Sequence[Fact]:
        """What was found out within that many real seconds. Raises AuthenticationError and what else ends every
        call."""
        with anyio.move_on_after(patience) as scope:
            try:
                await self._see_lists()
                await self._see_a_file()
            except BudgetSpent as error:
                self._note("limits", "", f"not everything could be asked: {error}")
        if scope.cancelled_caught:
            self._note("limits", "", "not everything could be asked in time: other calls come first; try again later")
        return self.found

    @property
    def rows(self) -> int:
        return next(size for size in _ROWS if size != self.per_page)

    def _note(self, name: str, value: str, said: str) -> None:
        self.found.append(Fact(name, value, said, self.clock.now()))

    async def _see_lists(self) -> None:
        first = await self._first_page()
        if first is None:
            self._note("list_order", "", "no list that the key may see has rows enough to show anything")
            return
        collection, page = first
        order = order_of([_fields(record) for record in page.records])
        shown = order or "no order that the rows show"
        self._note("list_order", order, f"{collection.name.replace('_', ' ')}: {shown}")
        totals = totals_of(page)
        self._note("list_totals", totals or "none", f"pages say {totals or 'nothing of their list'}")
        try:
            await self._see_changes(collection, page)
        except (TemporaryError, PermanentError) as error:
            self._note("time_zone", "", f"not found out: {error}")
        said = " ".join(f"{name}={number}" for name, number in self._limits.items())
        self._note("limits", said, said or "no answer named one; those in [limits] are not contradicted")

    async def _first_page(self) -> tuple[Collection, Page] | None:
        for name in [name for name in _LISTS_TRIED if name in self.collections]:
            try:
                probed = await self._page(ListRequest(COLLECTIONS[name]), self.rows)
            except (TemporaryError, PermanentError):
                continue
            if probed.page is not None and len(probed.page.records) >= _ENOUGH_ROWS:
                return COLLECTIONS[name], probed.page
        return None

    async def _page(self, wanted: ListRequest, per_page: int) -> Probed:
        """Asked again after a refusal, it waits until the route is open."""
        probed = await self.gateway.probes.page(wanted, per_page, Lane.LISTS)
        self._limits |= _limits_named(probed)
        return probed

    async def _see_changes(self, collection: Collection, first: Page) -> None:
        """Other URLs of the same route, within its minute: questions that show the time zone."""
        newest = newest_change(record.updated_at for record in first.records)
        zones: Sequence[float] = EVERY_ZONE if newest is not None else (0.0, 1.0)
        questions = _QUESTIONS_WHERE_EACH_WAITS if self.by_path else _QUESTIONS
        while questions > 0 and (zone := next_zone(zones)) is not None:
            wanted = ListRequest(collection, since=question(newest or self.clock.now(), zone))
            probed = await self._page(wanted, self.rows)
            if questions == _QUESTIONS:  # the first
                self._note_scope(probed)
            if probed.page is None:
                probed, questions = await self._page(wanted, self.rows), min(questions, _QUESTIONS_WHERE_EACH_WAITS)
            if probed.page is None or newest is None:
                break
            came = any(newest_change([record.updated_at]) == newest for record in probed.page.records)
            zones, questions = narrowed(zones, zone, came=came), questions - 1
        self._note_zone(zones if newest is not None else ())

    def _note_scope(self, second: Probed) -> None:
        refusal = second.refusal
        if refusal is None:
            said = "two URLs of one route were answered within a minute: path and query are counted"
            self._note("same_get_scope", "url", said)
        elif refusal.route:
            said = f'another URL of the route was refused ("{refusal.type}"): the path alone is counted'
            self._note("same_get_scope", "path", said)
        else:
            self._note("same_get_scope", "", f'another limit refused the call ("{refusal.type}")')

    def _note_zone(self, zones: Sequence[float]) -> None:
        if not zones:
            self._note("time_zone", "", "no row shows in which zone modifiedSince is read")
            return
        least, most = zones[0], zones[-1]
        between = zone_name(least) if least == most else f"between {zone_name(least)} and {zone_name(most)}"
        said = f"modifiedSince is read as {between}"
        if least == most == 0.0:
            self._note("time_zone", "UTC", f"{said}, as this program means it")
        elif 0.0 in zones:
            self._note("time_zone", "", f"{said}, which may be UTC")
        else:
            fate = "scans reach back further by themselves" if most < 0 else "more comes than is asked for"
            self._note("time_zone", between, f"{said}: {fate}, and nothing is missed")

    async def _see_a_file(self) -> None:
        try:
            found = await self._attachment()
            length = 0 if found is None else await self._length(found)
        except (TemporaryError, PermanentError) as error:
            self._note("attachment_sizes", "", f"not found out: {error}")
            return
        if found is None:
            self._note("attachment_sizes", "", "no document with a file of a stated size was found")
            return
        unit = unit_of(found.size, length)
        said = f"a file of {length:,} bytes is said to have {found.size:,}"
        self._note("attachment_sizes", unit, f"{said}: {unit}" if unit else said)

    async def _attachment(self) -> Attachment | None:
        """The smallest file of one document."""
        for name in [name for name in WITH_FILES if name in self.collections][:2]:
            collection = COLLECTIONS[name]
            wanted = ListRequest(collection, Filter(attached_files_only=True))
            probed = await self._page(wanted, _FEW_ROWS)
            if probed.page is None:
                probed = await self._page(wanted, _FEW_ROWS)
            for record in probed.page.records[:2] if probed.page else ():
                key = record.idn if collection.key == "idn" else record.id
                if key is None:
                    continue
                detail = await self.gateway.precoro.detail(collection, key, Lane.DETAILS)
                sized = [one for one in read_attachments(detail.raw) if one.size]
                if sized:
                    return min(sized, key=lambda one: one.size or 0)
        return None

    async def _length(self, found: Attachment) -> int:
        length = 0
        async with self.gateway.attachments.open(found.id, None, None) as incoming:
            while length <= _LARGEST_FILE_BYTES and (piece := await incoming.piece()):
                length += len(piece)
        if length > _LARGEST_FILE_BYTES:
            raise PermanentError("the file is too large for a test")
        return length


def _fields(record: Record) -> dict[str, Any]:
    try:
        return msgspec.json.decode(record.raw, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _limits_named(probed: Probed) -> dict[str, str]:
    """Calls that an answer says are granted, by the setting they belong to. The rule of identical GETs is another."""
    number = probed.headers.get("ratelimit-limit", "") or probed.headers.get("x-ratelimit-limit", "")
    if not number.strip().isdecimal() or (probed.refusal is not None and probed.refusal.route):
        return {}
    if probed.refusal is not None:
        return {f"per_{probed.refusal.period}": number.strip()}
    kind = probed.headers.get("ratelimit-type", "").lower()
    names = {"second": "per_second", "minute": "per_minute", "hour": "per_hour", "day": "per_day", "daily": "per_day"}
    return {name: number.strip() for word, name in names.items() if word in kind and "route" not in kind}
