"""messages to people when something begins to need them and when it no longer does, and signs of life"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

import anyio

from precoro_daemon.adapters.notices.messenger import Messenger
from precoro_daemon.adapters.notices.ping import ping
from precoro_daemon.app.findings import Finding
from precoro_daemon.app.state import company_name
from precoro_daemon.app.state_reading import read_snapshot
from precoro_daemon.app.values import route_to
from precoro_daemon.app.watch import StateWatcher, Watched, watcher_of
from precoro_daemon.errors import DaemonError, NoticeUnsent
from precoro_daemon.runtime.guard import guarded
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.settings import Settings
from precoro_daemon.status.attention import Matter, matters
from precoro_daemon.status.health import obstacles
from precoro_daemon.status.notices import Message, NoticeBook, compare, digest, message
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_COMPARE_EVERY_S = 300.0
"""Seconds. What stands in two comparisons is sent: people hear of it five to ten minutes after it began."""

_READS_WITHIN_S = 60.0
"""Real seconds that a reading of the state is waited for."""

_TEST = Message("precoro-daemon: a test", "Somebody asked for this message; nothing needs you.", "info")


@asynccontextmanager
async def notices_of(settings: Settings, watched: Watched, book: NoticeBook) -> AsyncIterator[None]:
    """Send messages and signs of life until the context ends, as far as the configuration says to whom."""
    section = settings.notify
    if not section.addresses and section.heartbeat is None:
        yield
        return
    async with watcher_of(settings, watched) as watcher, anyio.create_task_group() as tasks:
        if section.addresses:
            notifier = _Notifier(settings, book, watched.clock)
            tasks.start_soon(guarded, "messages", partial(_keep_notifying, notifier, watcher), name="messages")
        if section.heartbeat is not None:
            beat = partial(_keep_pinging, settings, watcher, watched.clock)
            tasks.start_soon(guarded, "signs of life", beat, name="signs of life")
        yield
        tasks.cancel_scope.cancel()


async def notify_after_run(
    settings: Settings, command: str, book: NoticeBook, clock: Clock, failure: DaemonError | None
) -> None:
    """What a run leaves for people, and that it took place."""
    section = settings.notify
    if section.addresses:
        try:
            found = matters(await anyio.to_thread.run_sync(read_snapshot, settings, command))
            if failure is not None and not found:
                found = [Matter("run", "The run failed", f"{str(failure).removesuffix('.')}.", weight="urgent")]
            await _Notifier(settings, book, clock).notify(found, at_once=True)
        except DaemonError as error:
            _log.warning("notice_failed", what="message", reason=str(error))
    if section.heartbeat is not None and failure is None:
        await _ping(settings)


async def send_test(settings: Settings) -> None:
    """One message to every target, and one sign of life. Raises NoticeUnsent."""
    if settings.notify.addresses:
        await _messenger(settings).send(_TEST)
    if settings.notify.heartbeat is not None:
        await ping(settings.notify.heartbeat, route_to(settings))


async def check_notices(settings: Settings) -> Finding:
    """Whether the addresses can be read. Raises NoticeUnsent."""
    count = len(settings.notify.addresses)
    if not count:
        return Finding("none is sent, as [notify] has no targets_file", {"addresses": 0})
    await _messenger(settings).check()
    said = f"messages go to {count} {'address' if count == 1 else 'addresses'}; try them: precoro-daemon notify test"
    return Finding(said, {"addresses": count})


def _messenger(settings: Settings) -> Messenger:
    return Messenger(settings.notify.addresses, route_to(settings))


@dataclass(frozen=True, slots=True)
class _Notifier:
    settings: Settings
    book: NoticeBook
    clock: Clock

    async def notify(self, found: Sequence[Matter], *, at_once: bool = False) -> None:
        """What is new, and the digest if it is due. What could not be sent is sent at the next comparison."""
        now = self.clock.now()
        kept = await self.book.load()
        compared = compare(kept.standing, found, now, at_once=at_once)
        name = company_name(self.settings)
        sent = await self._send(message(name, compared.notice, now))
        kept = replace(kept, standing=compared.sent if sent else compared.unsent)
        due = kept.digested_at if kept.digested_at is not None else now
        if (every := self.settings.notify.digest) is not None and every.after(due) <= now:
            due = now if await self._send(digest(name, found)) else due
        await self.book.save(replace(kept, digested_at=due))

    async def _send(self, text: Message | None) -> bool:
        if text is None:
            return True
        try:
            await _messenger(self.settings).send(text)
        except NoticeUnsent as error:
            _log.warning("notice_failed", what="message", reason=str(error))
            return False
        _log.info("people_notified", title=text.title)
        return True


async def _keep_notifying(notifier: _Notifier, watcher: StateWatcher) -> None:
    while True:
        await notifier.clock.sleep(_COMPARE_EVERY_S)
        snapshot = await watcher.snapshot(_READS_WITHIN_S)
        try:
            await notifier.notify(matters(snapshot))
        except DaemonError as error:
            _log.warning("notice_failed", what="message", reason=str(error))


async def _keep_pinging(settings: Settings, watcher: StateWatcher, clock: Clock) -> None:
    while True:
        snapshot = await watcher.snapshot(_READS_WITHIN_S)
        if not any(obstacles(snapshot)):
            await _ping(settings)
        await clock.sleep(settings.notify.heartbeat_every)


async def _ping(settings: Settings) -> None:
    assert settings.notify.heartbeat is not None
    try:
        await ping(settings.notify.heartbeat, route_to(settings))
    except DaemonError as error:
        _log.warning("notice_failed", what="sign of life", reason=str(error))
