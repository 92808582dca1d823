"""single requests to an accounting system during a login"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from precoro_daemon import __version__
from precoro_daemon.adapters.http.exchange import Answer
from precoro_daemon.adapters.http.origin import Origin, OriginOptions, Outgoing, Timeouts
from precoro_daemon.errors import LedgerMisfit, LoginFailed, MalformedAnswer, TemporaryError
from precoro_daemon.telemetry import excerpt
from precoro_daemon.values.json_reading import read_json

_LARGEST_LIST_BYTES = 32 * 2**20
_TIMEOUT_S = 30.0


class Api:
    """One origin, and the secret that it gets.

    token  "" if the secret is in the body
    """

    def __init__(self, origin: str, token: str, secrets: tuple[str, ...] = ()) -> None:
        timeouts = Timeouts(_TIMEOUT_S, 10.0, _TIMEOUT_S)
        options = OriginOptions(origin, timeouts, _LARGEST_LIST_BYTES, keep_alive=False)
        self._secrets = (*((token,) if token else ()), *secrets)
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        own = {"User-Agent": f"precoro-daemon/{__version__}", "Accept": "application/json"}
        self._http = Origin(options, own | shown, lambda: self._secrets)
        self._where = origin
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._http)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def ask(self, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Any:
        """Returns the JSON of a good answer. Raises LoginFailed for 401 and 403, LedgerMisfit for a refused request,
        TemporaryError if a retry may succeed.
        """
        kind = {} if body is None else {"Content-Type": "application/json"}
        method = "GET" if body is None else "POST"
        what = f"{self._where}: {method} {target.partition('?')[0]}"
        outgoing = Outgoing(method, target, {**kind, **(headers or {})}, body, shown_as=what)
        return self._judged(await self._http.send(outgoing, _unheard), what)

    def _judged(self, answer: Answer, what: str) -> Any:
        if answer.status == 200:
            tree = read_json(answer.body)
            if isinstance(tree, dict | list):
                return tree
            raise MalformedAnswer(f"{what}: what it answered is no JSON: is the address right?")
        said = f"{what}: {answer.status} ({excerpt(answer.body, self._secrets)})"
        if answer.status in (401, 403):
            raise LoginFailed(f"{said}; the user who logged in may not read this")
        if answer.status in (408, 425, 429) or answer.status >= 500:
            raise TemporaryError(said)
        raise LedgerMisfit(said)


async def _unheard() -> None:
    """Does nothing: such a request may be repeated."""
