"""one exchange with Precoro: its headers, its forms, and what is in doubt when no answer comes"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from precoro_daemon import __version__
from precoro_daemon.adapters.http.exchange import Answer, Body, Credentials, OnSent, Request
from precoro_daemon.adapters.http.origin import Manners, Origin, Outgoing, Timeouts
from precoro_daemon.errors import ConnectionFault, DoubtfulError, MalformedAnswer, TemporaryError

__all__ = ["HttpSession", "Timeouts"]

_LARGEST_BODY = 64 * 2**20
"""A page of 200 documents has about one MiB."""

_FORM: Mapping[str, str] = {"Content-Type": "application/x-www-form-urlencoded"}


class HttpSession:
    """Implements `Wire` for one origin, which alone ever sees the key."""

    def __init__(self, credentials: Credentials, timeouts: Timeouts) -> None:
        manners = Manners(credentials.origin, timeouts, _LARGEST_BODY)
        self._origin = Origin(manners, _headers(credentials), lambda: credentials.secrets)

    async def __aenter__(self) -> Self:
        await self._origin.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._origin.__aexit__(kind, error, trace)

    async def send(self, request: Request, on_sent: OnSent) -> Answer:
        sending = _Sending(on_sent)
        fault: TemporaryError
        try:
            return await self._origin.send(_outgoing(request), sending.tell)
        except (ConnectionFault, MalformedAnswer) as error:
            fault = error
        if sending.done and not request.repeatable:
            raise DoubtfulError(f"{fault}; it may have been carried out")
        raise fault

    def open(self, request: Request, on_sent: OnSent) -> AbstractAsyncContextManager[Body]:
        return self._origin.open(_outgoing(request), on_sent)


def _outgoing(request: Request) -> Outgoing:
    form = urlencode(request.form).encode() if request.form else None
    return Outgoing(request.method, request.target, {**(_FORM if form else {}), **dict(request.headers)}, form)


class _Sending:
    """Whether the request of one call has been written."""

    def __init__(self, on_sent: OnSent) -> None:
        self._on_sent = on_sent
        self.done = False

    async def tell(self) -> None:
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
