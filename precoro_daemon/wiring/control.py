"""orders about payments: carried out here, or by the service that holds the state"""

from __future__ import annotations

import http.client
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio.to_thread
import msgspec

from precoro_daemon.adapters.listener.control import PATH, PATIENCE, control
from precoro_daemon.domain.addresses import Address
from precoro_daemon.errors import DecisionRefused, ListenerUnusable, StoreHeld
from precoro_daemon.paying import orders
from precoro_daemon.paying.orders import Desk, Order
from precoro_daemon.service import Service
from precoro_daemon.settings import Settings
from precoro_daemon.telemetry import get_logger
from precoro_daemon.wiring.asking import LocalConnection
from precoro_daemon.wiring.payments import open_desk

_log = get_logger()

_GROUP = "payments"
_JOBS = ("mark_invoices_paid", "export_payments")


@asynccontextmanager
async def open_control(settings: Settings, desk: Desk | None, service: Service) -> AsyncIterator[None]:
    """Take orders about payments. Where no socket can be made, they have to wait until the service is stopped."""

    async def obey(order: Order) -> str:
        if desk is None:
            raise DecisionRefused("there are no books: say where they are in [ledger]")
        if order.kind in orders.AT_ONCE:
            said = await orders.carry_out(order, desk)
        else:
            async with service.without(_GROUP):
                said = await orders.carry_out(order, desk)
        if order.kind in orders.WAKING:
            for name in _JOBS:
                service.wake(name)
        _log.info("order_obeyed", kind=order.kind, by=order.by)
        return said

    async with AsyncExitStack() as stack:
        address = Address(path=await _socket(settings))
        try:
            await stack.enter_async_context(control(address, obey))
        except ListenerUnusable as error:
            _log.warning("listening_failed", what="orders", reason=str(error))
        yield


async def carry_out(settings: Settings, order: Order) -> str:
    """What there is to say of it. Raises DecisionRefused; StoreHeld, if the state is held by what takes no orders."""
    try:
        async with open_desk(settings) as here:
            return await orders.carry_out(order, here.desk)
    except StoreHeld as held:
        return await anyio.to_thread.run_sync(_ask, await _socket(settings), order, held)


async def _socket(settings: Settings) -> str:
    return f"{await anyio.Path(settings.state.path).resolve()}.control"


def _ask(path: str, order: Order, held: StoreHeld) -> str:
    asked = LocalConnection(path, PATIENCE + 5)
    try:
        asked.request("POST", PATH, msgspec.json.encode(order))
        told = msgspec.json.decode(asked.getresponse().read(65_536), type=dict[str, str | int])
    except PermissionError:
        raise StoreHeld(f"{held} Or ask it as its own user or as root: {path} is theirs alone.") from None
    except (OSError, http.client.HTTPException, msgspec.MsgspecError):
        raise held from None
    finally:
        asked.close()
    if "said" in told:
        return str(told["said"])
    refusal = DecisionRefused(str(told.get("refused", "the service gave no reason")))
    refusal.exit_code = int(told.get("exit_code", refusal.exit_code))
    raise refusal
