"""webhooks: each change by users is announced to up to five addresses, once, unsigned"""

from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from random import Random
from time import monotonic
from typing import Any

import aiohttp
import anyio
import orjson

from precoro_daemon.sandbox.rows import Row

TYPES = {
    "warehouserequests": 0,
    "purchaserequisitions": 1,
    "purchaseorders": 2,
    "invoices": 3,
    "requestforproposals": 4,
    "receipts": 5,
    "expenses": 6,
    "suppliers": 7,
    "stocktransfers": 8,
    "budgets": 9,
    "documentcustomfields": 10,
    "itemcustomfields": 11,
}
CREATED, UPDATED = 0, 1
MOST = 5
"""The most addresses, as at the live service."""

_QUEUE = 10_000
_PATIENCE = 5.0
_REST_S, _REST_WITHOUT_ADDRESSES_S = 0.01, 0.1


@dataclass
class Webhook:
    """One address.

    lose, repeat  shares of the announcements that are lost or sent twice
    delay         real seconds before an announcement is sent
    """

    url: str
    lose: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0


@dataclass
class Webhooks:
    """Announces changes in their order, as far as delays allow. A failed announcement is not retried."""

    seed: int = 0
    hooks: list[Webhook] = field(default_factory=list)
    sent: int = 0
    failed: int = 0

    def __post_init__(self) -> None:
        self._random = Random(self.seed + 4)
        self._due: list[tuple[float, int, str, bytes]] = []
        self._number = count()

    def add(self, **wish: Any) -> Webhook:
        """Adds an address and returns it. Raises ValueError if there are too many, or if it is no HTTP address."""
        hook = Webhook(**wish)
        if len(self.hooks) >= MOST or not str(hook.url).startswith(("http://", "https://")):
            message = f"up to {MOST} http addresses"
            raise ValueError(message)
        self.hooks.append(hook)
        return hook

    def announce(self, row: Row, action: int) -> None:
        if row.collection not in TYPES:
            return
        said = orjson.dumps({"id": row.id, "type": TYPES[row.collection], "action": action, "idn": row.idn or None})
        for hook in self.hooks:
            if self._random.random() >= hook.lose:
                for _ in range(2 if self._random.random() < hook.repeat else 1):
                    self._queue(hook, said)

    def _queue(self, hook: Webhook, said: bytes) -> None:
        if len(self._due) < _QUEUE:
            heappush(self._due, (monotonic() + hook.delay, next(self._number), hook.url, said))

    async def deliver(self) -> None:
        """Sends announcements when they are due, until cancelled."""
        timeout = aiohttp.ClientTimeout(total=_PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                while self._due and self._due[0][0] <= monotonic():
                    _, _, url, said = heappop(self._due)
                    await self._post(session, url, said)
                await anyio.sleep(_REST_S if self.hooks or self._due else _REST_WITHOUT_ADDRESSES_S)

    async def _post(self, session: aiohttp.ClientSession, url: str, said: bytes) -> None:
        try:
            async with session.post(url, data=said, headers={"Content-Type": "application/json"}) as answer:
                self.sent += answer.status < 300
                self.failed += answer.status >= 300
        except (aiohttp.ClientError, TimeoutError):
            self.failed += 1
