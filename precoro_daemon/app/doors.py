"""through which webhooks, watchers and commands come to a company: sockets of its own, or shared ones"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from precoro_daemon.app.watch import Watched, watcher_of
from precoro_daemon.settings import Settings
from precoro_daemon.settings import Watch as WatchSection
from precoro_daemon.telemetry import get_logger
from precoro_daemon.values.addresses import Address

if TYPE_CHECKING:
    from precoro_daemon.adapters.listener.control import Executor
    from precoro_daemon.adapters.listener.webhooks import Reception

_log = get_logger()


class Doors(Protocol):
    """Each is open until its context ends. Both raise ListenerUnusable.

    `own_socket`: commands come to the company by a socket of its own.
    """

    @property
    def own_socket(self) -> bool: ...

    def watch(self, settings: Settings, watched: Watched) -> AbstractAsyncContextManager[None]:
        """Answer those who watch, if the configuration says where."""
        ...

    def webhooks(self, listen: Address, reception: Reception) -> AbstractAsyncContextManager[None]:
        """Take webhooks there."""
        ...

    def commands(self, executor: Executor) -> AbstractAsyncContextManager[None]:
        """Take commands by other ways than the company's own socket."""
        ...


class OwnDoors:
    """Implements `Doors` where a process serves one company."""

    own_socket = True

    @asynccontextmanager
    async def watch(self, settings: Settings, watched: Watched) -> AsyncIterator[None]:
        section = settings.watch
        if section.listen is None:
            yield
            return
        from precoro_daemon.adapters.listener.watch import Gatekeeper, watch

        async with (
            watcher_of(settings, watched) as watcher,
            watch(watcher, section.listen, Gatekeeper(section.hosts)) as real,
        ):
            log_watch(section, real)
            yield

    @asynccontextmanager
    async def webhooks(self, listen: Address, reception: Reception) -> AsyncIterator[None]:
        from precoro_daemon.adapters.listener.webhooks import webhooks

        async with webhooks(reception, listen) as real:
            _log.info("listening_started", what="webhooks", address=str(real))
            yield

    @asynccontextmanager
    async def commands(self, executor: Executor) -> AsyncIterator[None]:  # noqa: ARG002 - there is no other way
        yield


def log_watch(section: WatchSection, real: Address) -> None:
    """That those who watch are answered, and if others than this machine may be among them."""
    _log.info("listening_started", what="watch", address=str(real))
    if section.listen is not None and not section.listen.is_local:
        _log.warning("watch_exposed", address=str(real))
