"""A supplier at Precoro, a list of wanted items, and the whole of planning and writing between them, in virtual time.

Everything that decides is the real thing: jobs, store, throttle, retries, and what answers mean. Stood in for are the
wire, which hands requests to a sandbox company, and time.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Self

from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.exchange import Answer, OnSent, Request
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.adapters.precoro.client import PrecoroClient
from precoro_daemon.adapters.precoro.items import HttpItemGateway
from precoro_daemon.adapters.precoro.single_writes import SingleWrites
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.repositories import build_store
from precoro_daemon.adapters.state.sqlite.session import SqliteSession
from precoro_daemon.adapters.state.sqlite.transactions import SqliteTransactions
from precoro_daemon.catalogue.manage_items import ManageItems
from precoro_daemon.catalogue.plan_items import PlanItems, Rules
from precoro_daemon.catalogue.ports.plans import PlanState
from precoro_daemon.catalogue.rules.plan import Policy
from precoro_daemon.catalogue.rules.sheets import Reading, Row, Sheet
from precoro_daemon.errors import ConnectionFault, DoubtfulError
from precoro_daemon.mirror.scanning import Lister
from precoro_daemon.sandbox import paying
from precoro_daemon.sandbox.filters import selection
from precoro_daemon.sandbox.pages import Page, page_call, render
from precoro_daemon.sandbox.refusals import MissingError, RefusedError
from precoro_daemon.sandbox.rows import Row as Record
from precoro_daemon.sandbox.writes import Writes
from precoro_daemon.status.progress import Silent
from tests.payments.world import (
    ONLY_SAME_GET,
    Bank,
    BankWire,
    Crash,
    Fate,
    Inline,
    MemoryWitness,
    NoBook,
    VirtualClock,
    emptied_database,
    form_of,
    no_connection,
    open_bank,
    slow_connection,
)

WritePlan = Callable[["Shop", Request], Answer | None]
COLUMNS = ("externalId", "sku", "name", "price", "currency", "hiddenInCatalog")
_NUMBERS = count(1)


def emptied() -> sqlite3.Connection:
    connection = emptied_database()
    for table in ("item_writes", "item_plans", "field_definitions", "field_options", "quarantine"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute("DELETE FROM meta WHERE key NOT IN ('identity', 'views')")
    return connection


@dataclass
class Shop:
    """One supplier of the shared company, and what was really done to its items by requests of ours."""

    bank: Bank
    number: int = field(default_factory=lambda: next(_NUMBERS))
    landed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.company = self.bank.company
        self.supplier = self.company.create(
            "suppliers", name=f"Supplier {self.number}", external_id=f"V{self.number}"
        )
        self._writes = Writes(self.company, self.bank.tuning, None)  # type: ignore[arg-type]

    @property
    def called(self) -> str:
        return f"external:V{self.number}"

    def sku(self, name: str) -> str:
        return f"{name}-{self.number}"

    def stocks(self, name: str, **facts: Any) -> Record:
        """An item that is there at the start, with all that a PUT could take away."""
        given = {
            "name": f"Item {name}",
            "sku": self.sku(name),
            "description": "as it was",
            "total": 1_000,
            "currency": "EUR",
            "unit": "pcs",
            "link": f"https://shop.example/{name}",
            "category": {"id": 7, "name": "Tools"},
            "supplier": self.supplier,
        }
        return self.company.create("items", **given | facts)

    def items(self, name: str) -> list[Record]:
        return [row for row in self.company["items"] if (row.extra or {}).get("sku") == self.sku(name)]

    def fields(self, row: Record) -> Mapping[str, Any]:
        """As the API shows it, numbers as text."""
        told: Mapping[str, Any] = json.loads(self.company.entries.raw(row), parse_float=str)
        return told

    def carry_out(self, request: Request) -> Record:
        """A write that arrived. Raises what the sandbox answers."""
        form = form_of(request)
        if request.method == "PATCH":
            row = self.company.find("items", request.path.rpartition("/")[2])
            paying.rename(self.company, self.bank.tuning, row, form)
            return row
        facts = self._writes._item(form)
        if request.method == "POST":
            if not self.bank.tuning.keep_external_id:
                facts["external_id"] = None
            row = self.company.create("items", **facts)
        else:
            row = self.company.find("items", request.path.rpartition("/")[2])
            self.company.edit(row, **facts)
        self.landed.append(f"{request.method} {form.get('sku')}")
        return row


@dataclass
class ShopWire(BankWire):
    """Implements `Wire`. `writes` are what becomes of the writes sent, one after the other, then all is well."""

    shop: Shop | None = None
    writes: list[WritePlan] = field(default_factory=list)

    async def send(self, request: Request, on_sent: OnSent) -> Answer:
        if self.fate.dead:
            raise Crash
        self.bank.catch_up()
        self.calls.append(str(request))
        if request.once:
            answer = await self._write(request, on_sent)
        else:
            await on_sent()
            answer = self._broken() or self._answer(request)
        if request.method != "GET":
            self.fate.step()
        return answer

    async def _write(self, request: Request, on_sent: OnSent) -> Answer:
        assert self.shop is not None
        plan = self.writes.pop(0) if self.writes else carried_out
        if plan is slow_connection:
            self.bank.clock.time += 6
        if plan is no_connection or (request.may_leave is not None and not request.may_leave()):
            raise ConnectionFault("nothing was sent")
        await on_sent()
        answer = plan(self.shop, request)
        if answer is None:
            self.fate.step()
            raise DoubtfulError("no answer; it may have been carried out")
        return answer

    def _answer(self, request: Request) -> Answer:
        assert self.shop is not None
        _, collection, *key = request.path.split("/")
        company = self.bank.company
        try:
            if not key:
                return self._list(collection, request)
            if request.method == "PATCH":
                self.shop.carry_out(request)
            return self._raw(200, company.details.raw(company.find(collection, key[0])))
        except (RefusedError, MissingError) as refusal:
            return self._json(refusal.status, refusal.body())

    def _list(self, collection: str, request: Request) -> Answer:
        """Only of this supplier: the shared company has those of all schedules."""
        assert self.shop is not None
        query = [pair for pair in request.query if pair[0] != "supplier[]"]
        call, wanted = page_call(query), selection(query)
        shelf = self.bank.company[collection]
        rows, _ = shelf.slice(wanted, "created_desc", 0, len(shelf))
        ours = [row for row in rows if self.shop.supplier in (row, row.supplier)]
        start = (call.place(len(ours))[0] - 1) * call.size
        part = ours[start : start + call.size]
        page = Page(call, len(ours), len(part), f"https://bank/{collection}", query)
        return self._raw(200, render(part, self.bank.company.entries.raw, page.pagination("both")))


def said(shop: Shop, status: int, body: Any, kind: str = "application/json") -> Answer:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {"Content-Type": kind}, text, None)


def carried_out(shop: Shop, request: Request) -> Answer:
    try:
        row = shop.carry_out(request)
    except (RefusedError, MissingError) as refusal:
        return said(shop, refusal.status, refusal.body())
    return said(shop, 201 if request.method == "POST" else 200, shop.company.details.raw(row))


def cut(shop: Shop, request: Request) -> None:
    """The request is lost."""


def carried_out_then_cut(shop: Shop, request: Request) -> None:
    carried_out(shop, request)


def carried_out_then_time_out(shop: Shop, request: Request) -> None:
    carried_out(shop, request)
    shop.bank.clock.time += 60


def carried_out_then(status: int, body: bytes = b"{}", kind: str = "application/json") -> WritePlan:
    def plan(shop: Shop, request: Request) -> Answer:
        carried_out(shop, request)
        return said(shop, status, body, kind)

    return plan


def answered(status: int, body: Any = b"{}", kind: str = "application/json") -> WritePlan:
    return lambda shop, request: said(shop, status, body, kind)


def late(seconds: float, status: int | None = None) -> WritePlan:
    """The answer is lost (or an error), and the request is carried out later."""

    def plan(shop: Shop, request: Request) -> Answer | None:
        shop.bank.after(seconds, lambda: shop.carry_out(request))
        return None if status is None else said(shop, status, b"{}")

    return plan


def wiped(*names: str) -> WritePlan:
    """Precoro takes away what it was sent: its form does not know the fields as they are written."""

    def plan(shop: Shop, request: Request) -> Answer:
        row = shop.carry_out(request)
        shop.company.edit(row, **{name: [] if name.startswith("data") else None for name in names})
        return said(shop, 200, shop.company.details.raw(row))

    return plan


@dataclass
class Memory:
    """Implements `WantedSource`: what the user's file says."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    columns: Sequence[str] = COLUMNS

    async def read(self, supplier: str) -> Sheet:
        cells = (tuple(row.get(name, "") for name in self.columns) for row in self.rows)
        return Sheet("wanted", list(self.columns), [Row(number, one) for number, one in enumerate(cells, start=2)])


class WrongClock(VirtualClock):
    """Our own clock, that many seconds away from Precoro's until the first answer sets it right."""

    def __init__(self, right: VirtualClock, error: float) -> None:
        super().__init__()
        self._right, self._error = right, error

    def now(self) -> float:
        return self._right.now() + self._error

    def anchor(self, server_now: float) -> float:
        error, self._error = self._error, 0.0
        return -error

    async def sleep(self, seconds: float) -> None:
        await self._right.sleep(seconds)


class Life:
    """One process: everything that is built anew after a crash, on the same database."""

    def __init__(
        self,
        shop: Shop,
        database: sqlite3.Connection,
        fate: Fate,
        keep: Sequence[str] = ("link",),
        wrong: float = 0.0,
    ) -> None:
        self.shop, self.keep, self.wrong = shop, keep, wrong
        self.wire = ShopWire(shop.bank, fate, shop=shop)
        transactions = SqliteTransactions(Inline(fate, database), SqliteSession(database), Path("memory"))
        self.store: Store = build_store(transactions, MemoryWitness(lambda: fate))
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        credentials = Credentials("https://bank", "token", "mail@example.org")
        clock = WrongClock(self.shop.bank.clock, self.wrong)
        around = GateDependencies(NoBook(), clock, Silent())  # type: ignore[arg-type]
        throttled = await self._stack.enter_async_context(Throttled(self.wire, credentials, ONLY_SAME_GET, around))
        retrying = Retrying(throttled, lambda: 0.5)
        client = PrecoroClient(retrying, 200)
        self.lister = Lister(client, self.store.mirror, clock, Silent(), 0.2)
        gateway = HttpItemGateway(client, retrying, SingleWrites(throttled, credentials, clock))
        self.manager = ManageItems(self.store.catalogue, gateway, clock, self.keep, lambda _plan, _finished: None)
        self.planner = PlanItems(
            self.lister, self.store.catalogue, self.store.change_log, self.store.custom_fields, {}, 3600.0
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def plan(self, source: Memory, *, hide: bool = True, **reading: Any) -> PlanState:
        rules = Rules(Reading(**reading), Policy(hide_missing=hide), 1.0)
        return (await self.planner.plan(source, self.shop.called, rules)).state


def open_shop(**tuning: Any) -> Shop:
    return Shop(open_bank(**tuning))
