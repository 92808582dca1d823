"""one task at a time for each key"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import anyio


class KeyedLock:
    """Tasks with the same key take turns, in the order in which they came; others do not wait."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, anyio.Lock] = {}
        self._users: Counter[Hashable] = Counter()

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        lock = self._locks.get(key) or self._locks.setdefault(key, anyio.Lock(fast_acquire=True))
        self._users[key] += 1
        try:
            async with lock:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
