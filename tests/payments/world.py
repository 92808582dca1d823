"""A company, its books and the whole of paying between them, in virtual time: no sockets, no threads, no waiting.

Everything that decides is the real thing: jobs, journal on SQLite, throttle, retries, and what answers mean. Stood in
for are the wire, which hands requests to a sandbox company, and time.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import sqlite3
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import Executor, Future
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any, Self

import anyio.lowlevel

from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.exchange import Answer, OnSent, Request
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.adapters.precoro.payments import HttpPaymentGateway
from precoro_daemon.adapters.precoro.single_writes import SingleWrites
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.repositories import build_store
from precoro_daemon.adapters.state.restore_guard import Testimony
from precoro_daemon.adapters.state.sqlite.restore_guard import RestoreGuardFile
from precoro_daemon.adapters.state.sqlite.schema import bring_up_to_date
from precoro_daemon.adapters.state.sqlite.session import SqliteSession
from precoro_daemon.adapters.state.sqlite.transactions import SqliteTransactions
from precoro_daemon.errors import ConnectionFault, DoubtfulError
from precoro_daemon.mirror.rules.cursors import Page, Scan
from precoro_daemon.mirror.rules.documents import read_record
from precoro_daemon.quota.limits import Limits
from precoro_daemon.sandbox import SandboxOptions, paying, schema
from precoro_daemon.sandbox.company import Company
from precoro_daemon.sandbox.fault_kinds import reshape
from precoro_daemon.sandbox.filters import moment
from precoro_daemon.sandbox.forms import amount, identifier, nest
from precoro_daemon.sandbox.options import Tuning
from precoro_daemon.sandbox.refusals import MissingError, RefusedError
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.status.progress import Silent

START = datetime(2026, 2, 1, 9, tzinfo=UTC)
MINUTE, HOUR = 60.0, 3600.0
ONLY_SAME_GET = Limits(per_second=0, per_minute=0, per_hour=0, per_day=0, same_get_per_minute=1, same_get_per_hour=30)


class Crash(BaseException):
    """The process is gone: nothing runs after it, no handler, no journal entry."""


class VirtualClock:
    """Sleeping takes no time but its own."""

    time_scale = 1.0
    scale = 1.0

    def __init__(self) -> None:
        self.start = START.timestamp()
        self.time = self.start

    def now(self) -> float:
        return self.time

    def anchor(self, server_now: float) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await anyio.lowlevel.checkpoint()
        self.time += max(seconds, 0.0)


@dataclass
class Fate:
    """Crashes at a chosen step. A step is the moment after something was written or sent: a crash after a read leaves
    what one before it would."""

    crash_at: int | None = None
    steps: int = 0
    dead: bool = False

    def step(self) -> None:
        if self.dead:
            raise Crash
        self.steps += 1
        if self.crash_at is not None and self.steps > self.crash_at:
            self.dead = True
            raise Crash


class Inline(Executor):
    """Runs at once what the store's thread would run."""

    def __init__(self, fate: Fate, database: sqlite3.Connection) -> None:
        self.fate, self.database = fate, database

    def submit(self, work: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.run_into(future, partial(work, *arguments, **named))
        return future

    def run_into(self, future: Future[Any] | asyncio.Future[Any], work: Callable[[], Any]) -> None:
        if self.fate.dead:
            raise Crash
        before = self.database.total_changes
        loop = asyncio.get_running_loop()
        # As on the store's thread, no loop runs here while the work does.
        asyncio._set_running_loop(None)
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        finally:
            asyncio._set_running_loop(loop)
        if self.database.total_changes != before:
            self.fate.step()


def without_threads() -> None:
    """Nothing here runs on another thread, so the running loop need not be woken, nor be handed what came of it."""
    loop = asyncio.get_running_loop()

    def run_in_executor(executor: Inline, work: Callable[[], Any]) -> asyncio.Future[Any]:
        future = loop.create_future()
        executor.run_into(future, work)
        return future

    loop.call_soon_threadsafe = loop.call_soon  # type: ignore[method-assign]
    loop.run_in_executor = run_in_executor  # type: ignore[method-assign,assignment]


class MemoryWitness(RestoreGuardFile):
    """What survives a crash beside the store; the step between the two of them is one too."""

    def __init__(self, fate: Callable[[], Fate]) -> None:
        super().__init__(Path("memory"))
        self._fate = fate
        self._known: Testimony | None = None

    def create(self) -> Testimony:
        self._known = Testimony("nonce")
        return self._known

    def read(self) -> Testimony | None:
        return self._known

    def advance(self, seq: int, row: str) -> None:
        self._fate().step()
        self._known = Testimony(self.demand().nonce, seq, row)


class NoBook:
    """An account of calls that is forgotten at once: the windows are the other tests' matter."""

    async def now(self) -> float:
        return time.time()

    async def load(self, since: float) -> list[Any]:
        return []

    async def load_lanes(self, since: float) -> list[Any]:
        return []

    async def load_closed(self) -> dict[str, float]:
        return {}

    async def load_lessons(self) -> dict[str, float]:
        return {}

    async def load_refusal(self, fingerprint: str) -> None:
        return None

    async def nothing(self, *_: Any) -> None:
        return None

    charge = refund = move = close = prune = save_refusal = clear_refusal = nothing


@cache
def _database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=500)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    bring_up_to_date(connection, "company")
    for name in ("index_payable", "index_paid", "index_external_ids", "index_canceled"):
        SqliteSession(connection).run(f"journal.{name}")
    return connection


_FORGOTTEN = ("attempts", "intents", "ledger_payments", "ledger_rows", "unreadable_rows", "positions",
              "paid_invoices", "records", "changes", "scans", "cursors", "details", "quarantine")  # fmt: skip


def emptied_database() -> sqlite3.Connection:
    """As new, but for the journal, which nobody can empty: it goes on in the next schedule with other intents."""
    connection = _database()
    for table in _FORGOTTEN:
        connection.execute(f"DELETE FROM {table}")
    connection.execute("DELETE FROM meta WHERE key = 'armed'")
    return connection


def fresh_world() -> sqlite3.Connection:
    """Another company and another database from here on, both as if nothing had ever been: what is played then is
    played in the same words and numbers every time."""
    _shared_company.cache_clear()
    _database.cache_clear()
    return _database()


@dataclass
class Bank:
    """The company at Precoro, and what really happened to it: `made` has every payment that was carried out for a
    request of ours, by the name the request gave it.

    names  what becomes of an externalId: kept, ignored by POST, or numbers only
    guard  whether more than the remainder can be paid
    """

    clock: VirtualClock
    company: Company
    tuning: Tuning
    made: dict[str, list[Row]] = field(default_factory=dict)
    posts: int = 0
    later: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)
    _number: Any = field(default_factory=count)

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        heapq.heappush(self.later, (self.clock.now() + seconds, next(self._number), act))

    def catch_up(self) -> None:
        """What was to happen by now has happened."""
        while self.later and self.later[0][0] <= self.clock.now():
            _, _, act = heapq.heappop(self.later)
            try:
                act()
            except (RefusedError, MissingError):
                continue

    def carry_out(self, form: dict[str, Any]) -> Row:
        """A POST that arrived. Raises what the sandbox answers."""
        row = paying.order(self.company, self.tuning, "payments", form)
        self.made.setdefault(form.get("externalId", ""), []).append(row)
        return row

    def person_pays(self, invoice: Row, cents: int, day: str) -> None:
        paying.pay(self.company, "payments", invoice, paying.Wish(cents, moment(day, "payDate")))


@cache
def _shared_company() -> tuple[VirtualClock, Company]:
    clock = VirtualClock()
    return clock, Company(SandboxOptions(size="empty", counts={"suppliers": 5}), clock)  # type: ignore[arg-type]


def open_bank(**tuning: Any) -> Bank:
    """One company serves every schedule of a process: each has invoices of its own, and time only goes on."""
    clock, company = _shared_company()
    options = SandboxOptions(size="empty", **tuning)
    return Bank(clock, company, Tuning.of(options))


PostPlan = Callable[[Bank, Request], "Answer | None"]


@dataclass
class BankWire:
    """Implements `Transport`. `posts` are what becomes of the payments sent, one after the other, then all is well.

    meanwhile  what happens here while a call is under way
    terse      an invoice shows no days of its payments
    reshaped   a field of each invoice that is of another shape, and how
    odd        the id of the invoice that alone is reshaped; None: all are
    faulty     ids of invoices that are answered with the status `fault`; down: everything is answered with 500
    noted      the status that a PATCH is answered with, 0: it is carried out
    lists      what every list is answered with, if anything
    """

    bank: Bank
    fate: Fate
    posts: list[PostPlan] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[None]] | None = None
    terse: bool = False
    reshaped: tuple[str, str] | None = None
    odd: int | None = None
    faulty: Collection[int] = ()
    fault: int = 500
    down: bool = False
    noted: int = 0
    lists: bytes = b""

    async def send(self, request: Request, on_sent: OnSent) -> Answer:
        if self.fate.dead:
            raise Crash
        self.bank.catch_up()
        self.calls.append(str(request))
        if self.meanwhile is not None:
            await self.meanwhile()
        if request.method == "POST":
            answer = await self._post(request, on_sent)
        else:
            await on_sent()
            answer = self._broken() or self._answer(request)
        if request.method != "GET":
            self.fate.step()
        return answer

    async def _post(self, request: Request, on_sent: OnSent) -> Answer:
        plan = self.posts.pop(0) if self.posts else carried_out
        if plan is slow_connection:
            self.bank.clock.time += 6
        if plan is no_connection or (request.may_leave is not None and not request.may_leave()):
            raise ConnectionFault("nothing was sent")
        await on_sent()
        self.bank.posts += 1
        answer = plan(self.bank, request)
        if answer is None:
            # The answer is lost: what the session says when a sent POST has none.
            self.fate.step()
            raise DoubtfulError("no answer; it may have been carried out")
        return answer

    def _broken(self) -> Answer | None:
        status = self.reads.pop(0) if self.reads else 500 * self.down
        if status == 0:
            return None
        return self._json(status, {"code": status}) if status != 200 else self._raw(200, b"<html>", "text/html")

    def _answer(self, request: Request) -> Answer:
        _, collection, *key = request.path.split("/")
        company = self.bank.company
        try:
            if not key:
                return self._list(collection, request)
            row = company.find(collection, key[0])
            if row.id in self.faulty:
                return self._json(self.fault, {"code": self.fault})
            if request.method == "PATCH" and self.noted:
                return self._json(self.noted, {"code": self.noted})
            if request.method == "PATCH":
                paying.rename(company, self.bank.tuning, row, dict(request.form))
            drawn = company.details if schema.COLLECTIONS[collection].detail else company.entries
            raw = _without_days(drawn.raw(row)) if self.terse else drawn.raw(row)
            reshaped = self.reshaped if self.odd in (None, row.id) else None
            return self._raw(200, _reshaped(raw, *reshaped) if reshaped else raw)
        except (RefusedError, MissingError) as refusal:
            return self._json(refusal.status, refusal.body())

    def _list(self, collection: str, request: Request) -> Answer:
        if self.lists:
            return self._raw(200, self.lists)
        names = {value for key, value in request.query if key == "external_id[]"}
        rows = [row for row in self.bank.company[collection] if row.external_id in names]
        body = b'{"data":[%b]}' % b",".join(self.bank.company.entries.raw(row) for row in rows)
        return self._raw(200, body)

    def _json(self, status: int, body: Any) -> Answer:
        return self._raw(status, json.dumps(body).encode())

    def _raw(self, status: int, body: bytes, kind: str = "application/json") -> Answer:
        now = self.bank.clock.now()
        headers = {"Content-Type": kind, "Date": formatdate(now, usegmt=True)}
        return Answer(status, headers, body, float(int(now)))


def _reshaped(raw: bytes, field: str, how: str) -> bytes:
    document = json.loads(raw)
    reshape(document, field, how)
    return json.dumps(document).encode()


def _with(raw: bytes, field: str) -> bytes:
    return raw.rstrip()[:-1] + f", {field}}}".encode()


def _without_days(raw: bytes) -> bytes:
    tree = json.loads(raw)
    for payment in tree.get("payments", {}).get("data", ()):
        del payment["payDate"], payment["createDate"]
    return json.dumps(tree).encode()


def form_of(request: Request) -> dict[str, Any]:
    return nest(request.form)


def _said(status: int, body: Any, **headers: str) -> Answer:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {"Content-Type": "application/json"} | headers, text, None)


def carried_out(bank: Bank, request: Request) -> Answer:
    try:
        row = bank.carry_out(form_of(request))
    except (RefusedError, MissingError) as refusal:
        return _said(refusal.status, refusal.body())
    return _said(201, bank.company.entries.raw(row))


def no_connection(bank: Bank, request: Request) -> None:
    """Marks a plan that the wire acts on before anything is sent."""


def slow_connection(bank: Bank, request: Request) -> Answer:
    """The connection takes six seconds, so nothing may leave; should it leave, it is carried out."""
    return carried_out(bank, request)


def cut(bank: Bank, request: Request) -> None:
    """The request is lost."""


def carried_out_then_cut(bank: Bank, request: Request) -> None:
    carried_out(bank, request)


def carried_out_then_time_out(bank: Bank, request: Request) -> None:
    carried_out(bank, request)
    bank.clock.time += 60


def carried_out_then(status: int, body: bytes = b"{}", kind: str = "application/json") -> PostPlan:
    def plan(bank: Bank, request: Request) -> Answer:
        carried_out(bank, request)
        return _said(status, body, **{"Content-Type": kind})

    return plan


def answered(status: int, body: Any = b"{}", kind: str = "application/json") -> PostPlan:
    return lambda bank, request: _said(status, body, **{"Content-Type": kind})


def late(seconds: float, status: int | None = None) -> PostPlan:
    """The answer is lost (or an error), and the request is carried out later."""

    def plan(bank: Bank, request: Request) -> Answer | None:
        bank.after(seconds, lambda: bank.carry_out(form_of(request)))
        return None if status is None else _said(status, b"{}")

    return plan


def arrived_twice(bank: Bank, request: Request) -> Answer:
    """Something in between repeated it; the answer is that of the second one."""
    first = carried_out(bank, request)
    second = carried_out(bank, request)
    return second if second.status != 201 else first


def person_was_faster(share: int) -> PostPlan:
    """A person pays in the UI between our look and our request: 1 the same amount, 0 everything."""

    def plan(bank: Bank, request: Request) -> Answer:
        form = form_of(request)
        invoice = bank.company.row("invoices", identifier(form, "invoice") or 0)
        wanted = amount(form, "sumPaid") if share else invoice.total - invoice.paid
        bank.person_pays(invoice, wanted or 0, form["payDate"])
        return carried_out(bank, request)

    return plan


def sent_back_to_revision(bank: Bank, request: Request) -> Answer:
    invoice = bank.company.row("invoices", identifier(form_of(request), "invoice") or 0)
    bank.company.edit(invoice, status=schema.ON_REVISE)
    answer = carried_out(bank, request)
    bank.company.edit(invoice, status=schema.APPROVED)
    return answer


class Life:
    """One process: everything that is built anew after a crash, on the same database."""

    def __init__(self, bank: Bank, database: sqlite3.Connection, restore_guard: MemoryWitness, fate: Fate) -> None:
        self.bank, self.fate = bank, fate
        self.wire = BankWire(bank, fate)
        self.transactions = SqliteTransactions(Inline(fate, database), SqliteSession(database), Path("memory"))
        self.store: Store = build_store(self.transactions, restore_guard)
        self.listed: Mapping[int, str] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        credentials = Credentials("https://bank", "token", "mail@example.org")
        around = GateDependencies(NoBook(), self.bank.clock, Silent())  # type: ignore[arg-type]
        throttled = await self._stack.enter_async_context(Throttled(self.wire, credentials, ONLY_SAME_GET, around))
        self.gateway = HttpPaymentGateway(
            Retrying(throttled, lambda: 0.5), SingleWrites(throttled, credentials, self.bank.clock)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def mirror(self, *rows: Row, payments: bool = True) -> None:
        """What the mirror's own job would have brought by now."""
        await self._commit("invoices", list(rows))
        if payments:
            made = [payment for row in rows for payment in row.made("payments")]
            await self._commit("payments", made)

    async def _commit(self, collection: str, rows: list[Row]) -> None:
        entries = self.bank.company.entries
        raws = [(row, entries.raw(row)) for row in rows if row.id in self.bank.company[collection].by_id]
        odd = self.listed if collection == "invoices" else {}
        records = [read_record(_with(raw, odd[row.id]) if row.id in odd else raw) for row, raw in raws]
        page = Page(1, records, total=len(records), server_time=self.bank.clock.now())
        await self.store.mirror.commit_pages(Scan(collection, "whole"), [page])
