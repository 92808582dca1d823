"""one exchange with Precoro: its headers and forms, and the doubt if no answer arrives"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from precoro_daemon import __version__
from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.adapters.http.exchange import Answer, Body, OnSent, Request
from precoro_daemon.adapters.http.origin import Origin, OriginOptions, Outgoing, Timeouts
from precoro_daemon.errors import ConnectionFault, DoubtfulError, MalformedAnswer, TemporaryError

__all__ = ["HttpSession", "Timeouts"]

_LARGEST_PAGE_BYTES = 64 * 2**20
"""The largest answer in bytes. A page of 200 documents takes about one MiB."""

_LATEST_START = 5.0
"""Seconds within which a connection must be established for a request that must not be sent twice."""

_FORM: Mapping[str, str] = {"Content-Type": "application/x-www-form-urlencoded"}


class HttpSession:
    """Implements `Wire` for one origin, which alone ever sees the key."""

    def __init__(self, credentials: Credentials, timeouts: Timeouts) -> None:
        """Gives each POST its own connection: the server may have closed a kept one, and the outcome would then be
        unknown.
        """
        kept = OriginOptions(credentials.origin, timeouts, _LARGEST_PAGE_BYTES)
        soon = replace(timeouts, connect=min(timeouts.connect, _LATEST_START))
        once = replace(kept, timeouts=soon, keep_alive=False)
        self._origin = Origin(kept, _headers(credentials), lambda: credentials.secrets)
        self._origin_for_once = Origin(once, _headers(credentials), lambda: credentials.secrets)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._origin)
        await self._stack.enter_async_context(self._origin_for_once)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def send(self, request: Request, on_sent: OnSent) -> Answer:
        sending = _Sending(on_sent)
        origin = self._origin if request.repeatable else self._origin_for_once
        fault: TemporaryError
        try:
            return await origin.send(_outgoing(request), sending.note)
        except (ConnectionFault, MalformedAnswer) as error:
            fault = error
        if sending.done and not request.repeatable:
            raise DoubtfulError(f"{fault}; it may have been carried out")
        raise fault

    def open(self, request: Request, on_sent: OnSent) -> AbstractAsyncContextManager[Body]:
        return self._origin.open(_outgoing(request), on_sent)


def _outgoing(request: Request) -> Outgoing:
    form = request.body or None
    headers = {**(_FORM if form else {}), **dict(request.headers)}
    return Outgoing(request.method, request.target, headers, form, request.may_leave, shown_as=str(request))


class _Sending:
    """Whether the request of one call has been written."""

    def __init__(self, on_sent: OnSent) -> None:
        self._on_sent = on_sent
        self.done = False

    async def note(self) -> None:
        self.done = True
        await self._on_sent()


def _headers(credentials: Credentials) -> dict[str, str]:
    # Precoro refuses a library's default User-Agent with 403 before it looks at the key.
    return {
        "User-Agent": f"precoro-daemon/{__version__}",
        "Accept": "application/json",
        "X-AUTH-TOKEN": credentials.token,
        "email": credentials.email,
    }
