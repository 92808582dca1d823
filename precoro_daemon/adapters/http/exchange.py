"""one request and its answer, and which answer is which error"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from typing import Protocol
from urllib.parse import quote, urlencode

from precoro_daemon.adapters.http.refusals import read_wait
from precoro_daemon.errors import (
    AuthenticationError,
    DaemonError,
    DoubtfulError,
    Forbidden,
    MalformedAnswer,
    NotFound,
    RateLimited,
    Refused,
    ServerFault,
    WebPage,
)
from precoro_daemon.quota.limits import Lane
from precoro_daemon.telemetry import excerpt

Pairs = tuple[tuple[str, str], ...]
"""Names and values in the order in which they are sent, e.g. (("status[]", "2"), ("status[]", "4"))."""

_LEGAL_IN_PATH = "/:@!$&'()*+,;=~-._"


@dataclass(frozen=True)
class Request:
    """One call.

    form       the body of a write, as pairs
    headers    in addition to those of every call
    encoded    path and query exactly as they must be sent, if a foreign party wrote them
    may_leave  called when the connection is established; if it returns False it is too late, and nothing is written
    once       whether it must not be repeated although its method allows it, because others may change the same by
    then
    """

    method: str
    path: str
    query: Pairs = ()
    form: Pairs = ()
    lane: Lane = Lane.LISTS
    headers: Pairs = ()
    encoded: str = ""
    may_leave: Callable[[], bool] | None = None
    once: bool = False

    def __post_init__(self) -> None:
        # Appended to the origin, anything else could change the host that gets the key ("@elsewhere", ".elsewhere").
        for path in (self.path, self.encoded or self.path):
            if not path.startswith("/"):
                raise ValueError(f"a path starts with a slash: {path!r}")

    @cached_property
    def target(self) -> str:
        """Path and query exactly as sent."""
        if self.encoded:
            return self.encoded
        path = quote(self.path, safe=_LEGAL_IN_PATH)
        return f"{path}?{urlencode(self.query, quote_via=quote)}" if self.query else path

    @cached_property
    def body(self) -> bytes:
        """The body exactly as sent."""
        return urlencode(self.form).encode()

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice has the same effect as once. A POST creates something each time."""
        return self.method != "POST" and not self.once

    def __str__(self) -> str:
        """The call for people; a foreign address without its query, which may be a signature."""
        return f"{self.method} {self.encoded.partition('?')[0] or self.target}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `server_time` is its `Date` in Unix seconds, None if it had no readable one."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    server_time: float | None

    def header(self, name: str) -> str:
        """Returns the value of a header, whatever its case; "" if it is absent."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")


class Body(Protocol):
    """An answer whose body is still arriving. It is readable while its context is open.

    head      the answer without its body
    framed    whether the body's end is announced, so that a cut is noticed
    patience  seconds after which a body that is only read for its message is given up
    coding    its compression, "" or "identity" for none
    """

    head: Answer
    framed: bool
    patience: float
    coding: str

    def keep_packed(self) -> bool:
        """Delivers the body as it arrives, without decompression. Returns False if it is too late for that."""
        ...

    async def piece(self) -> bytes | memoryview:
        """Returns the next bytes, decompressed, valid until the next call; b"" after the last. Raises ConnectionFault
        or MalformedAnswer.
        """
        ...


OnSent = Callable[[], Awaitable[None]]
"""Called once, when the request has really been handed to the network."""


class Transport(Protocol):
    """Sends one request and returns one answer of any status.

    Raises ConnectionFault or MalformedAnswer if no complete answer arrived, and DoubtfulError if the request was then
    already sent and must not be sent twice. A cancelled call closes its connection.
    """

    async def send(self, request: Request, on_sent: OnSent) -> Answer: ...

    def open(self, request: Request, on_sent: OnSent) -> AbstractAsyncContextManager[Body]:
        """Does the same for an answer too large to hold. On exit the unread rest is dropped with its connection."""
        ...


class Exchange(Protocol):
    """Sends one request and returns one good answer (2xx, not a web page). Raises according to the tables below, and
    what `Wire` raises.
    """

    @property
    def in_flight_bound(self) -> int:
        """The useful number of concurrent calls."""
        ...

    async def send(self, request: Request) -> Answer: ...

    def open(self, request: Request) -> AbstractAsyncContextManager[Body]:
        """Does the same for a file of any content, or a redirect to one. The call counts as over once its answer
        begins, so that a long body does not delay the next call.
        """
        ...

    async def send_once(self, request: Request, permit: Callable[[], Awaitable[None]]) -> Answer:
        """Makes one attempt of a call that must not be repeated, and returns its answer of any status.

        `permit` is called when the call may leave and is charged; an error in it ends the call unsent. Also raises
        AuthenticationError.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Sleeps before a retry; returns early when no more calls may leave."""
        ...


_ERROR_BY_STATUS: Mapping[int, tuple[type[DaemonError], str]] = {
    401: (AuthenticationError, "token, e-mail or region is wrong, or the key was revoked"),
    403: (
        Forbidden,
        "this API user may not read it: grant the role in Precoro, or remove the collection from collections",
    ),
    404: (NotFound, "it was deleted, or this API user may not see it"),
    408: (ServerFault, "it is retried by itself"),
    429: (RateLimited, "it is repeated when the limit opens"),
}

_ERROR_BY_HUNDRED: Mapping[int, tuple[type[DaemonError], str]] = {
    3: (MalformedAnswer, "redirects are never followed; check base_url or region"),
    4: (Refused, "the request itself was not accepted"),
    5: (ServerFault, "it is retried by itself"),
}


_ADVICE_FIRST = frozenset({AuthenticationError, Forbidden, NotFound})
"""Errors whose advice to people comes before the call that showed them."""

_WEB_PAGE = (WebPage, "a login page of this network, a proxy, a maintenance page or a wrong base_url")
_TITLE = re.compile(rb"<title[^>]*>([^<]{1,500})", re.IGNORECASE)
_UNKNOWN = (MalformedAnswer, "that is no answer we know")


def check(request: Request, answer: Answer, secrets: tuple[str, ...], *, as_file: bool = False) -> None:
    """Raises the error that the answer means, unless it is good. A file may be a web page, and may be elsewhere."""
    meaning = _meaning(answer)
    if meaning is None or (
        as_file and (meaning is _WEB_PAGE or (answer.status // 100 == 3 and answer.header("location")))
    ):
        return
    kind, advice = meaning
    text = describe(request, answer, secrets)
    if kind is WebPage:
        title = _TITLE.search(answer.body)
        name = excerpt(unescape(title[1].decode("utf-8", "replace")), secrets) if title else "one without a title"
        text = f"{request}: a web page came instead of data: {name}"
    if kind in (ServerFault, MalformedAnswer, WebPage) and not request.repeatable:
        raise DoubtfulError(f"{text}; it may have been carried out")
    first, last = (advice, text) if kind in _ADVICE_FIRST else (text, advice)
    raise _with_wait(kind, f"{first}; {last}", answer)


def _meaning(answer: Answer) -> tuple[type[DaemonError], str] | None:
    if 200 <= answer.status < 300:
        return _WEB_PAGE if answer.header("content-type").startswith("text/html") else None
    return _ERROR_BY_STATUS.get(answer.status) or _ERROR_BY_HUNDRED.get(answer.status // 100, _UNKNOWN)


def describe(request: Request, answer: Answer, secrets: tuple[str, ...]) -> str:
    """Returns the request and Precoro's answer in words fit for a log."""
    # Without its query, which may be a signature that opens a file to anybody.
    where = f" to {answer.header('location').partition('?')[0]}" if answer.status // 100 == 3 else ""
    said = excerpt(answer.body, secrets)
    return f"{request}: Precoro answered {answer.status}{where}" + (f" ({said})" if said else "")


def _with_wait(kind: type[DaemonError], text: str, answer: Answer) -> DaemonError:
    if kind is RateLimited:
        # The budget knows until when; the repeated call waits there, in its turn.
        return RateLimited(text, wait=0.0)
    if kind is ServerFault and answer.server_time is not None:
        return ServerFault(text, wait=read_wait(answer.header("retry-after"), answer.server_time))
    return kind(text)
