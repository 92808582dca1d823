"""opens the socket on which webhooks come in"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from precoro_daemon.adapters.listener.webhooks import Reception, webhooks
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.settings import Settings
from precoro_daemon.status.heartbeat import ProgressHeartbeat
from precoro_daemon.telemetry import get_logger

_log = get_logger()


@asynccontextmanager
async def open_webhooks(
    settings: Settings, store: Store, clock: Clock, wake: Callable[[], None], heartbeat: ProgressHeartbeat
) -> AsyncIterator[None]:
    """Take webhooks, if the configuration says where. `wake` is called when some were kept."""
    section = settings.apply_deliveries
    if section.listen is None:
        yield
        return
    given = [secret.get_secret_value() for secret in (section.secret, section.previous_secret) if secret is not None]
    reception = Reception(given, store.deliveries, clock, wake, heartbeat.tallies.answers)
    heartbeat.pulse.others = [reception.pulse]
    async with webhooks(reception, section.listen) as real:
        _log.info("listening_started", what="webhooks", address=str(real))
        yield
