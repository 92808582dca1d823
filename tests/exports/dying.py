"""A process that dies at one of the calls that an export makes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any


class Killed(BaseException):
    """Nothing of ours catches it, as nothing catches kill -9."""


class Life:
    """Counts the calls to all ports it lends, and dies before the one with the fatal number: what was done before is
    all that is left, as after the call before that."""

    def __init__(self, fatal: int | None = None) -> None:
        self.calls = 0
        self._fatal = fatal

    def lend(self, port: Any) -> Any:
        """The same port, through which the process dies."""
        return _Lent(self, port)

    async def spend(self, call: Callable[[], Awaitable[Any]]) -> Any:
        if self.calls == self._fatal:
            raise Killed
        self.calls += 1
        return await call()


class _Lent:
    def __init__(self, life: Life, port: Any) -> None:
        self._life, self._port = life, port

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        async def call(*given: Any, **named: Any) -> Any:
            return await self._life.spend(lambda: method(*given, **named))

        return call
