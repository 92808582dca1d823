"""One worker of a fleet as a process: `python -m tests.adapters.state.postgresql.fleet_process`, settings as JSON.

Each company keeps a journal of payments as the program does: planned, sending by a permit, confirmed. What a former
holder left as sending is in doubt, and is never sent again. Every write goes through the fence; it leaves a line with
its epoch, so that tenures can be compared.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
import psycopg
from psycopg.errors import IdleInTransactionSessionTimeout

from precoro_daemon.adapters.state.postgresql.epoch_fence import EpochFence
from precoro_daemon.adapters.state.postgresql.fleet_session import session_settings
from precoro_daemon.adapters.state.postgresql.leases import PostgresLeases
from precoro_daemon.errors import Stopped, StoreUnavailable
from precoro_daemon.runtime.fleet_worker import FleetWorker, Tenancy
from precoro_daemon.writes.permit import PERMIT_GOOD_FOR_S

LINE = """INSERT INTO tenures (company, epoch, worker, ahead)
VALUES (%s, %s, %s, %s - extract(epoch FROM clock_timestamp()))"""
DOUBT = "UPDATE intents SET state = 'doubt' WHERE company = %s AND state = 'sending'"
PLAN = """INSERT INTO intents (company, number, state)
SELECT %s, coalesce(max(number), 0) + 1, 'planned' FROM intents WHERE company = %s"""
NEXT = "SELECT min(number) FROM intents WHERE company = %s AND state = 'planned'"
SEND = "UPDATE intents SET state = 'sending' WHERE company = %s AND number = %s AND state = 'planned'"
CONFIRM = (
    "UPDATE intents SET state = 'confirmed' WHERE company = %s AND number = %s AND state IN ('sending', 'doubt')"
)

BUSY_FOR_LEASES, STUCK_FOR_LEASES = 1.6, 5.0
"""How long the loop stands still at SIGUSR1 and SIGUSR2."""

Work = Callable[[psycopg.Cursor[Any]], Any]


@dataclass
class Company:
    """One company under one epoch, with a session of its own."""

    conninfo: str
    lease: float
    worker: str
    tenancy: Tenancy
    state: psycopg.Connection[Any] | None = None

    async def write(self, work: Work, *, permit: bool = False) -> Any:
        return await anyio.to_thread.run_sync(partial(self._write, work, permit=permit))

    def _write(self, work: Work, *, permit: bool) -> Any:
        fence = EpochFence(self.tenancy.holding, self.worker, self.lease)
        try:
            if self.state is None:
                self.state = psycopg.connect(
                    self.conninfo, prepare_threshold=None, **session_settings(self.lease, self.worker)
                )
            with self.state.transaction(), self.state.cursor() as cursor:
                (fence.check_permit if permit else fence.check)(cursor)
                held = self.tenancy.holding
                cursor.execute(LINE, (held.company, held.epoch, self.worker, time.time()))
                return work(cursor)
        except (psycopg.OperationalError, psycopg.InterfaceError, IdleInTransactionSessionTimeout) as error:
            raise StoreUnavailable(str(error)) from error

    async def serve(self, port: int) -> None:
        name = self.tenancy.holding.company
        await self.write(lambda cursor: cursor.execute(DOUBT, (name,)))
        while not self.tenancy.ending.is_set():
            if random.random() < 0.5:
                await self.write(lambda cursor: cursor.execute(PLAN, (name, name)))
            number = await self.write(lambda cursor: cursor.execute(NEXT, (name,)).fetchone()[0])
            if number is not None:
                self.tenancy.refuse_if_lost()
                await self.pay(port, name, number)
            with anyio.move_on_after(random.uniform(0.2, 0.6)):
                await self.tenancy.ending.wait()

    async def pay(self, port: int, name: str, number: int) -> None:
        """A fresh connection, then the permit, then at once the payment: as the program sends one."""
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            began = time.monotonic()
            permitted = await self.write(lambda cursor: cursor.execute(SEND, (name, number)).rowcount, permit=True)
            if permitted and time.monotonic() - began < PERMIT_GOOD_FOR_S:
                await stream.send(f"{name} {number}\n".encode())
                with anyio.fail_after(60):
                    await stream.receive()
                await self.write(lambda cursor: cursor.execute(CONFIRM, (name, number)))

    def close(self) -> None:
        if self.state:
            self.state.close()


async def main(settings: dict[str, Any]) -> None:
    conninfo, lease = settings["conninfo"], settings["lease"]
    leases = PostgresLeases(conninfo, lease, settings["name"])

    async def serve(tenancy: Tenancy) -> None:
        company = Company(conninfo, lease, leases.worker, tenancy)
        try:
            await company.serve(settings["port"])
        except (OSError, TimeoutError, anyio.EndOfStream, anyio.BrokenResourceError) as error:
            raise Stopped(f"Precoro: {error!r}") from error
        finally:
            company.close()

    worker = FleetWorker(leases, settings["name"], lease, lambda: settings["companies"], serve)

    async def stop_on_signal() -> None:
        with anyio.open_signal_receiver(signal.SIGTERM) as signals:
            async for _ in signals:
                worker.stop()

    signal.signal(signal.SIGUSR1, lambda *_: time.sleep(BUSY_FOR_LEASES * lease))
    signal.signal(signal.SIGUSR2, lambda *_: time.sleep(STUCK_FOR_LEASES * lease))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stop_on_signal)
        await worker.run()
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        anyio.run(main, json.loads(sys.argv[1]))
