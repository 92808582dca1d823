"""who may serve a company now: on one machine, who holds its state"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol

import anyio

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.app.state import state_of
from precoro_daemon.errors import StoreHeld, StoreUnavailable
from precoro_daemon.settings import Settings

_HELD_FOR_S = 5.0
"""A command, a shell or a backup may hold the state for a moment; who starts a service should not have to know."""

_ASKED_EVERY_S = 0.25


class Tenure(Protocol):
    """Decides whether this process may serve a company, and gives its state for as long as it may."""

    def hold(self, settings: Settings) -> AbstractAsyncContextManager[Store]:
        """The company's state, open, until the context ends. Nobody else serves the company meanwhile.

        Raises StoreHeld where another process serves it; StoreUnusable. Once the right to serve it is lost, whatever
        is asked of the store raises StoreUnusable, and no write of ours happens any more.
        """
        ...


class FileTenure:
    """Implements `Tenure` by the lock beside the state, which is the kernel's and ends with the process."""

    @asynccontextmanager
    async def hold(self, settings: Settings) -> AsyncIterator[Store]:
        gives_up_at = anyio.current_time() + _HELD_FOR_S
        async with AsyncExitStack() as stack:
            while True:
                try:
                    store = await stack.enter_async_context(state_of(settings).open())
                    break
                except (StoreHeld, StoreUnavailable):
                    if anyio.current_time() >= gives_up_at:
                        raise
                await anyio.sleep(_ASKED_EVERY_S)
            yield store
