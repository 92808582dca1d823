"""A fleet of real worker processes that are killed and stopped, cut off from their database, and outlive its restart.

Precoro is a socket that counts what it is sent. In the end the tables are asked: did two holders of a company ever
write side by side, was a payment made twice, and was one lost.
"""

from __future__ import annotations

import asyncio
import json
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import IO

import anyio
from anyio.abc import SocketAttribute, SocketStream

from tests.adapters.state.postgresql.fleet_process import BUSY_FOR_LEASES
from tests.adapters.state.postgresql.fleets import Tables
from tests.clocks import wrong_clock
from tests.system.forked import Child

ROOT = Path(__file__).resolve().parents[4]

MADE = """
CREATE TABLE tenures (
    seq bigint GENERATED ALWAYS AS IDENTITY, company text, epoch bigint, worker text, ahead double precision
);
CREATE TABLE intents (company text, number int, state text, PRIMARY KEY (company, number));
"""
OUT_OF_ORDER = """
SELECT count(*) FROM (
    SELECT epoch, max(epoch) OVER (PARTITION BY company ORDER BY seq ROWS UNBOUNDED PRECEDING) AS newest FROM tenures
) AS lines WHERE epoch < newest
"""
OVERLAPPING = """
SELECT count(*) FROM (
    SELECT first, lag(last) OVER (PARTITION BY company ORDER BY epoch) AS former FROM (
        SELECT company, epoch, min(seq) AS first, max(seq) AS last FROM tenures GROUP BY company, epoch
    ) AS spans
) AS pairs WHERE former > first
"""
SHARED_EPOCH = (
    "SELECT count(*) FROM (SELECT FROM tenures GROUP BY company, epoch HAVING count(DISTINCT worker) > 1) AS x"
)
STILL_HELD = "SELECT count(*) FROM precoro_fleet.companies c JOIN precoro_fleet.workers w ON w.id = c.holder"
APART = "SELECT coalesce(max(ahead) - min(ahead), 0) FROM tenures"
SERVED = "SELECT company, max(epoch) FROM tenures GROUP BY company"

LOST = (ConnectionError, OSError, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


@dataclass
class Proxy:
    """TCP in front of the database's socket; `cut` breaks all that stands, in the midst of whatever it carries."""

    upstream: str
    on_piece: Callable[[bytes], None] = lambda _: None
    """Sees what is about to reach the database, or one who asked it."""

    open: set[asyncio.StreamWriter] = field(default_factory=set)
    silenced: dict[str, asyncio.Event] = field(default_factory=dict)
    """Workers of whom nothing arrives, nor anything at them, until the event; what was sent then arrives late."""

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, worker: str = "") -> None:
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_unix_connection(self.upstream)
            ends = {writer, far_writer}
            self.open |= ends
            await asyncio.gather(
                self._forward(reader, far_writer, ends, worker), self._forward(far_reader, writer, ends, worker)
            )
            self.open -= ends
        writer.transport.abort()

    async def _forward(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        ends: set[asyncio.StreamWriter],
        worker: str,
    ) -> None:
        with suppress(OSError):
            while piece := await source.read(2**16):
                if worker in self.silenced:
                    await self.silenced[worker].wait()
                self.on_piece(piece)
                target.write(piece)
                await target.drain()
        for end in ends:
            end.transport.abort()

    def cut(self) -> None:
        for end in list(self.open):
            end.transport.abort()


@dataclass
class Precoro:
    """Counts what it is sent, before it answers."""

    random: Random
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)

    async def answer(self, client: SocketStream) -> None:
        with suppress(*LOST):
            async with client:
                line = (await client.receive()).decode()
                company, number = line.split()
                self.seen[company, int(number)] += 1
                await anyio.sleep(self.random.uniform(0, 0.1))
                await client.send(b"ok\n")


@dataclass
class Fleet:
    """The workers, and what is done to them. `apart`: by so much is the clock of each wrong, in seconds."""

    tables: Tables
    random: Random
    lease: float
    companies: list[str]
    port: int
    log: IO[bytes]
    proxy: Proxy
    servers: AsyncExitStack
    apart: int = 0
    workers: dict[str, subprocess.Popen[bytes] | Child] = field(default_factory=dict)
    started: int = 0
    taken_over_after: list[float] = field(default_factory=list)
    lost_while_busy: int = 0

    async def start(self) -> None:
        self.started += 1
        name = f"w{self.started}"
        server = await asyncio.start_server(partial(self.proxy.carry, worker=name), "127.0.0.1", 0)
        await self.servers.enter_async_context(server)
        port = server.sockets[0].getsockname()[1]
        conninfo = f"host=127.0.0.1 port={port} user=postgres dbname={self.tables.name} sslmode=disable"
        settings = {
            "conninfo": conninfo, "lease": self.lease, "name": name, "port": self.port, "companies": self.companies,
        }  # fmt: skip
        ahead = self.apart if self.started % 2 else -self.apart
        module = "tests.adapters.state.postgresql.fleet_process"
        if not ahead:
            self.workers[name] = Child(module, json.dumps(settings), output=self.log.fileno())
            return
        environment = wrong_clock(Path(self.log.name).parent, ahead)  # which a start of Python takes
        self.workers[name] = subprocess.Popen(  # noqa: ASYNC220 - it takes no time
            [sys.executable, "-m", module, json.dumps(settings)],
            cwd=ROOT, env=environment, stdout=self.log, stderr=self.log,
        )  # fmt: skip

    def held(self) -> Mapping[str, list[tuple[str, int]]]:
        held: dict[str, list[tuple[str, int]]] = {}
        sql = """SELECT w.name, c.name, c.epoch FROM precoro_fleet.companies c JOIN precoro_fleet.workers w
            ON w.id = c.holder WHERE w.alive_until > clock_timestamp()"""
        for name, company, epoch in self.tables.rows(sql):
            held.setdefault(name, []).append((company, epoch))
        return held

    async def until_all_are_served(self) -> None:
        """Every company has written under the epoch that it has now."""
        sql = """SELECT count(*) FROM precoro_fleet.companies c
            WHERE EXISTS (SELECT FROM tenures t WHERE t.company = c.name AND t.epoch = c.epoch)
            AND EXISTS (
                SELECT FROM precoro_fleet.workers w WHERE w.id = c.holder AND w.alive_until > clock_timestamp()
            )
        """
        with anyio.fail_after(120):
            while self.tables.rows(sql) != [(len(self.companies),)]:  # noqa: ASYNC110 - other processes
                await anyio.sleep(0.2)

    async def until_all_have_joined(self) -> None:
        """From then on a worker ends as it should when it is asked to."""
        sql = "SELECT name FROM precoro_fleet.workers WHERE alive_until > clock_timestamp()"
        with anyio.fail_after(120):
            while not self.workers.keys() <= {name for (name,) in self.tables.rows(sql)}:  # noqa: ASYNC110 - as above
                await anyio.sleep(0.2)

    async def victim(self) -> str:
        with anyio.fail_after(60):
            while not (holding := [name for name in self.held() if self.workers[name].poll() is None]):  # noqa: ASYNC110
                await anyio.sleep(0.2)
        return self.random.choice(holding)

    async def until_taken_over(self, former: list[tuple[str, int]]) -> None:
        """Each of the companies has written under a later epoch."""
        began, left = time.monotonic(), dict(former)
        with anyio.fail_after(90):
            while left:
                await anyio.sleep(0.2)
                for company, epoch in self.tables.rows(SERVED):
                    if company in left and epoch > left[company]:
                        del left[company]
        self.taken_over_after.append(time.monotonic() - began)

    async def kill(self) -> None:
        name = await self.victim()
        former = self.held().get(name, [])
        process = self.workers.pop(name)
        process.kill()
        process.wait()
        await self.start()
        await self.until_taken_over(former)

    async def stop_and_continue(self) -> None:
        """It wakes up after others took its companies over, and goes on where it was."""
        name = await self.victim()
        former = self.held().get(name, [])
        self.workers[name].send_signal(signal.SIGSTOP)
        try:
            await self.until_taken_over(former)
            await anyio.sleep(self.random.uniform(0, self.lease))
        finally:
            self.workers[name].send_signal(signal.SIGCONT)
        await anyio.sleep(1.0)

    async def busy(self) -> None:
        """Its loop stands still for longer than a lease; its companies stay."""
        name = await self.victim()
        self.workers[name].send_signal(signal.SIGUSR1)
        await anyio.sleep(0.3)
        held = self.held().get(name, [])
        await anyio.sleep(BUSY_FOR_LEASES * self.lease - 0.6)
        self.lost_while_busy += len(set(held) - set(self.held().get(name, [])))

    async def stuck(self) -> None:
        """Its loop stands still for so long that others take its companies over; then it goes on."""
        name = await self.victim()
        former = self.held().get(name, [])
        self.workers[name].send_signal(signal.SIGUSR2)
        await self.until_taken_over(former)

    async def silence(self) -> None:
        """Its wires to the database go silent, and break for nobody; it hears of Precoro as before."""
        name = await self.victim()
        former = self.held().get(name, [])
        silenced = self.proxy.silenced[name] = asyncio.Event()
        try:
            await self.until_taken_over(former)
            await anyio.sleep(self.random.uniform(0, self.lease))
        finally:
            del self.proxy.silenced[name]
            silenced.set()
        await anyio.sleep(1.0)

    async def cut(self) -> None:
        self.proxy.cut()
        await anyio.sleep(self.random.uniform(0.2, 1.0))

    def died(self) -> list[str]:
        """Workers that ended by themselves: none should."""
        return [name for name, process in self.workers.items() if process.poll() is not None]

    async def finish(self) -> list[int]:
        """Their exit codes."""
        for process in self.workers.values():
            process.send_signal(signal.SIGTERM)
        with anyio.move_on_after(60):
            while any(process.poll() is None for process in self.workers.values()):  # noqa: ASYNC110 - processes
                await anyio.sleep(0.1)
        codes = [process.poll() for process in self.workers.values()]
        for process in self.workers.values():
            process.kill()
            process.wait()
        return [-9 if code is None else code for code in codes]


@dataclass(frozen=True)
class Outcome:
    """`doubled`, `unknown`, `lost`: payments that Precoro got twice, got without a permit, or did not get though they
    are confirmed."""

    events: Mapping[str, int]
    writes: int
    out_of_order: int
    overlapping: int
    shared_epochs: int
    paid: int
    doubled: int
    unknown: int
    lost: int
    doubts: int
    exits: list[int]
    still_held: int
    lost_while_busy: int
    apart: float
    taken_over_after: list[float]

    @property
    def wrong(self) -> Mapping[str, int]:
        names = (
            "out_of_order", "overlapping", "shared_epochs", "doubled", "unknown", "lost", "still_held",
            "lost_while_busy",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    def shown(self) -> str:
        took = self.taken_over_after or [0.0]
        return (
            f"{dict(self.events)}: {self.writes} writes, {self.paid} payments, {self.doubts} doubts; "
            f"wrong: {dict(self.wrong)}; take-over of a worker's companies: "
            f"median {statistics.median(took):.1f} s, at most {max(took):.1f} s"
        )


Event = Callable[[Fleet], Awaitable[None]]


@dataclass(frozen=True)
class Story:
    """How many of each event; they come in a random order."""

    seed: int = 0
    workers: int = 3
    companies: int = 8
    lease: float = 3.0
    kills: int = 0
    stops: int = 0
    cuts: int = 0
    silences: int = 0
    busy: int = 0
    stuck: int = 0
    apart: int = 0
    """Seconds by which the clocks of workers are ahead and behind, in turns."""
    restarts: int = 0
    restart: Callable[[], None] = lambda: None
    promotions: int = 0
    promote: Callable[[], str] = str
    """A standby takes the place of the database; gives the directory of its socket."""
    pooler: Path | None = None
    """Directory of the socket of a pooler before the database, if the workers go through one."""

    def drawn(self, random: Random) -> list[str]:
        counts = {"kill": self.kills, "stop": self.stops, "cut": self.cuts, "restart": self.restarts}
        counts |= {"promote": self.promotions, "silence": self.silences, "busy": self.busy, "stuck": self.stuck}
        events = [event for event, count in counts.items() for _ in range(count)]
        random.shuffle(events)
        return events


async def play(tables: Tables, story: Story, log: Path) -> Outcome:
    """`log`: what the workers write."""
    random = Random(story.seed)
    precoro = Precoro(random)
    companies = [f"c{number}" for number in range(story.companies)]
    tables.enrol(*companies)
    tables.rows(MADE)
    proxy = Proxy(_socket(story.pooler or tables.directory))
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    calls = listener.extra(SocketAttribute.local_port)
    events = story.drawn(random)
    async with listener, AsyncExitStack() as servers, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, precoro.answer)
        with log.open("wb") as file:
            fleet = Fleet(tables, random, story.lease, companies, calls, file, proxy, servers, story.apart)
            exits, died = await _run(fleet, story, events)
        proxy.cut()
        tasks.cancel_scope.cancel()
    written = await anyio.Path(log).read_text()
    assert died == [], f"{died} ended by themselves:\n{written[-3000:]}"
    return _judged(fleet.tables, precoro, fleet, Counter(events), exits)


def _socket(directory: Path | str) -> str:
    return f"{directory}/.s.PGSQL.5432"


async def _run(fleet: Fleet, story: Story, events: list[str]) -> tuple[list[int], list[str]]:
    """Exit codes, and who did not wait to be asked to end."""
    died: list[str] = []
    try:
        for _ in range(story.workers):
            await fleet.start()
        await fleet.until_all_are_served()
        for event in events:
            await _happen(event, fleet, story)
        await fleet.until_all_are_served()
        await fleet.until_all_have_joined()
        died = fleet.died()
    except TimeoutError as error:
        told = (await anyio.Path(fleet.log.name).read_text())[-3000:]
        raise AssertionError(f"nothing went on; {fleet.died()} ended by themselves:\n{told}") from error
    finally:
        with anyio.CancelScope(shield=True):
            exits = await fleet.finish()
    return exits, died


async def _happen(event: str, fleet: Fleet, story: Story) -> None:
    match event:
        case "kill":
            await fleet.kill()
        case "stop":
            await fleet.stop_and_continue()
        case "cut":
            await fleet.cut()
        case "silence":
            await fleet.silence()
        case "busy":
            await fleet.busy()
        case "stuck":
            await fleet.stuck()
        case "restart":
            await anyio.to_thread.run_sync(story.restart)
            await fleet.until_all_are_served()
        case "promote":
            directory = await anyio.to_thread.run_sync(story.promote)
            fleet.tables, fleet.proxy.upstream = Tables(directory, fleet.tables.name), _socket(directory)
            fleet.proxy.cut()
            await fleet.until_all_are_served()
    await anyio.sleep(fleet.random.uniform(0.2, 1.0))


def _judged(tables: Tables, precoro: Precoro, fleet: Fleet, events: Counter[str], exits: list[int]) -> Outcome:
    states = {(company, number): state for company, number, state in tables.rows("SELECT * FROM intents")}
    number = {name: tables.rows(sql)[0][0] for name, sql in (
        ("out_of_order", OUT_OF_ORDER), ("overlapping", OVERLAPPING), ("shared_epochs", SHARED_EPOCH),
        ("writes", "SELECT count(*) FROM tenures"),
        ("still_held", STILL_HELD), ("apart", APART),
    )}  # fmt: skip
    return Outcome(
        events=events,
        paid=sum(precoro.seen.values()),
        doubled=sum(count > 1 for count in precoro.seen.values()),
        unknown=sum(states.get(key, "planned") == "planned" for key in precoro.seen),
        lost=sum(state == "confirmed" and key not in precoro.seen for key, state in states.items()),
        doubts=sum(state == "doubt" for state in states.values()),
        exits=exits,
        lost_while_busy=fleet.lost_while_busy,
        taken_over_after=fleet.taken_over_after,
        **number,
    )
