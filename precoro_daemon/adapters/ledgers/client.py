"""a ledger behind HTTP: who is asked, how fast, with which token, and what an answer means"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

import anyio
from aiolimiter import AsyncLimiter

from precoro_daemon import __version__
from precoro_daemon.adapters.http.bearer import Bearer
from precoro_daemon.adapters.http.exchange import Answer
from precoro_daemon.adapters.http.origin import Origin, OriginOptions, Outgoing, Timeouts
from precoro_daemon.adapters.ledgers.outcomes import Judge, wait_of
from precoro_daemon.errors import ConnectionFault, DoubtfulError, MalformedAnswer, TemporaryError

_LARGEST_ANSWER_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Manners:
    """How one ledger wants to be talked to.

    timeout        seconds that one call may take in all
    scheme         what stands before the token in the header `Authorization`, "" if the token goes elsewhere
    calls_a_minute what it takes of one company, None for no limit
    longest_wait   seconds that a question waits within the lap when the ledger says "too often"
    error          where an answer with a good status may still carry an error, "" for nowhere
    messages       where an error says in words what is the matter, tried in this order
    """

    timeout: float = 15.0
    scheme: str = "Bearer"
    calls_a_minute: int | None = None
    longest_wait: float = 90.0
    error: str = ""
    messages: Sequence[str] = ()


@dataclass(slots=True)
class LedgerClient:
    """One origin that gets the token, and no other.

    Every call has a connection of its own: on one that was kept, a server that has just closed it turns a payment
    nobody saw into a doubt. A question is asked again where that helps (the token had run out, too often); a payment
    is sent once.
    """

    ledger: str
    origin: str
    bearer: Bearer
    manners: Manners = field(default_factory=Manners)
    _secrets: tuple[str, ...] = field(default=(), init=False, repr=False)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack, init=False, repr=False)
    _http: Origin = field(init=False, repr=False)
    _pace: AsyncLimiter | None = field(default=None, init=False, repr=False)

    async def __aenter__(self) -> Self:
        limit = self.manners.timeout
        options = OriginOptions(
            self.origin, Timeouts(limit, min(limit, 10.0), limit), _LARGEST_ANSWER_BYTES, keep_alive=False
        )
        headers = {"User-Agent": f"precoro-daemon/{__version__}", "Accept": "application/json"}
        self._http = await self._stack.enter_async_context(Origin(options, headers, lambda: self._secrets))
        if self.manners.calls_a_minute:
            self._pace = AsyncLimiter(1, 60.0 / self.manners.calls_a_minute)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def token(self) -> str:
        """The token of the next request; what is said back never shows it."""
        token = await self.bearer.token()
        self._secrets = (token,)
        return token

    async def ask(
        self, what: str, outgoing: Outgoing, *, of_one: bool = False, not_found_is_none: bool = False
    ) -> Any:
        """The JSON of a good answer to a call that writes nothing, None for a 404 that means so.

        of_one  the call is about one payment, so what is refused concerns that one alone

        Raises what `Judge.question` does, ConnectionFault, and what the bearer does.
        """
        answer = await self._repeated(outgoing)
        if not_found_is_none and answer.status == 404:
            return None
        return self._judge(what, outgoing).question(answer, of_one=of_one)

    async def send_payment(self, what: str, outgoing: Outgoing) -> Any:
        """The JSON of a good answer to a payment, sent once.

        Raises DoubtfulError if it may have been recorded, TemporaryError if it surely was not and may be later,
        PermanentError if the ledger refuses this one.
        """
        sent = False

        async def note() -> None:
            nonlocal sent
            sent = True

        ready, token = await self._ready(outgoing)
        try:
            answer = await self._http.send(ready, note)
        except (ConnectionFault, MalformedAnswer) as error:
            fault = f"ledger {self.ledger}: {what}: {error}"
        else:
            if answer.status == 401:
                await self.bearer.renew(token)
            return self._judge(what, outgoing).sent_payment(answer)
        if sent:
            raise DoubtfulError(f"{fault}; the payment may have been recorded")
        raise TemporaryError(f"{fault}; it was not sent")

    async def _repeated(self, outgoing: Outgoing) -> Answer:
        """A question's answer, after a new token or a wait where the first answer asks for one."""
        answer, token = await self._once(outgoing)
        if answer.status == 401:
            await self.bearer.renew(token)
            if await self.token() != token:
                answer, _ = await self._once(outgoing)
        wait = wait_of(answer) if answer.status == 429 else None
        if wait is not None and wait <= self.manners.longest_wait:
            await anyio.sleep(wait)
            answer, _ = await self._once(outgoing)
        return answer

    async def _once(self, outgoing: Outgoing) -> tuple[Answer, str]:
        ready, token = await self._ready(outgoing)
        return await self._http.send(ready, _unheard), token

    async def _ready(self, outgoing: Outgoing) -> tuple[Outgoing, str]:
        """With its token, once it is this call's turn."""
        if self._pace is not None:
            await self._pace.acquire()
        token = await self.token()
        if not self.manners.scheme:
            return outgoing, token
        return replace(
            outgoing, headers={**outgoing.headers, "Authorization": f"{self.manners.scheme} {token}"}
        ), token

    def _judge(self, what: str, outgoing: Outgoing) -> Judge:
        manners = self.manners
        return Judge(f"ledger {self.ledger}: {what}: {outgoing}", manners.error, self._secrets, manners.messages)


async def _unheard() -> None:
    """A question may be asked again, sent or not."""
