"""a ledger behind HTTP: its origin, the pace of calls, the token, and the meaning of an answer"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

from precoro_daemon import __version__
from precoro_daemon.adapters.http.bearer import Bearer
from precoro_daemon.adapters.http.exchange import Answer, OnSent
from precoro_daemon.adapters.http.origin import Origin, OriginOptions, Outgoing, Timeouts
from precoro_daemon.adapters.ledgers.outcomes import Blocking, Judge, limit_of, wait_of
from precoro_daemon.adapters.ledgers.pace import NotAsked, Pace
from precoro_daemon.errors import ConnectionFault, DoubtfulError, MalformedAnswer, TemporaryError
from precoro_daemon.payments.ports.ledger import Entry
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch
from precoro_daemon.payments.rules.receipts import Bill
from precoro_daemon.writes.permit import Permit, TimedPermit
from precoro_daemon.writes.sending import real_seconds

_LARGEST_ANSWER_BYTES = 16 * 2**20


async def _unheard() -> None:
    """Does nothing: a question may be repeated, whether it was sent or not."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How to call one ledger's interface.

    timeout        total seconds that one call may take
    scheme         the word before the token in the header `Authorization`, "" if the token is sent elsewhere
    calls_a_minute calls a minute that the ledger accepts for one company, None for no limit
    at_once        concurrent calls that the ledger accepts for one company, None for no limit
    longest_wait   most seconds that a call waits within the lap after "too often" (429)
    unsaid_wait    seconds to wait after a "too often" that names no time, None for no wait
    error          path of an error in an answer with a good status, "" if there is none
    messages       paths of an error's message in words, tried in this order
    blocking       by path: values in a refusal that concern every payment, not one alone
    """

    timeout: float = 15.0
    scheme: str = "Bearer"
    calls_a_minute: int | None = None
    at_once: int | None = None
    longest_wait: float = 90.0
    unsaid_wait: float | None = None
    error: str = ""
    messages: Sequence[str] = ()
    blocking: Blocking = field(default_factory=dict)


@dataclass(slots=True)
class LedgerClient:
    """A client of one origin. The token is sent to no other origin.

    Every call uses a new connection: on a kept one that the server has just closed, a payment that never arrived
    would become a doubt. A question is retried if that helps: after the token ran out, or after "too often". A
    payment is sent once. After "too often", no call leaves until the ledger accepts calls again.
    """

    ledger: str
    origin: str
    bearer: Bearer
    manners: Manners = field(default_factory=Manners)
    elapsed: Callable[[], float] = real_seconds
    _secrets: tuple[str, ...] = field(default=(), init=False, repr=False)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack, init=False, repr=False)
    _http: Origin = field(init=False, repr=False)
    _pace: Pace = field(init=False, repr=False)

    async def __aenter__(self) -> Self:
        limit = self.manners.timeout
        options = OriginOptions(
            self.origin, Timeouts(limit, min(limit, 10.0), limit), _LARGEST_ANSWER_BYTES, keep_alive=False
        )
        headers = {"User-Agent": f"precoro-daemon/{__version__}", "Accept": "application/json"}
        self._http = await self._stack.enter_async_context(Origin(options, headers, lambda: self._secrets))
        manners = self.manners
        self._pace = Pace(manners.calls_a_minute, manners.at_once, manners.longest_wait)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def token(self) -> str:
        """Returns the token for the next request. Error messages never show it."""
        token = await self.bearer.token()
        self._secrets = (token,)
        return token

    async def ask(
        self, what: str, outgoing: Outgoing, *, of_one: bool = False, not_found_is_none: bool = False
    ) -> Any:
        """Sends a call that writes nothing and returns the JSON of a good answer, or None for a 404 that means "not
        found".

        of_one  the call concerns one payment, so a refusal concerns that payment alone

        Raises what `Judge.question` and the bearer raise, and ConnectionFault.
        """
        answer = await self._repeated(outgoing)
        if not_found_is_none and answer.status == 404:
            return None
        return self._judge(what, outgoing).question(answer, of_one=of_one)

    async def send_payment(self, what: str, outgoing: Outgoing, permit: Permit) -> Any:
        """Sends a payment once and returns the JSON of a good answer.

        The permit is requested after all other waiting, and the payment leaves within five seconds of it or not at
        all. A process that was suspended for longer may have been replaced or stopped in the meantime.

        Raises DoubtfulError if the payment may have been recorded. In all other cases it certainly was not: raises
        TemporaryError if it may be later, PermanentError if the ledger refuses this payment, LedgerMisfit if it
        refuses every payment, and what the permit and the bearer raise.
        """
        sent, timed = False, TimedPermit(permit, self.elapsed)
        outgoing = replace(outgoing, may_leave=timed.lets_leave)

        async def note() -> None:
            nonlocal sent
            sent = True

        try:
            answer, token = await self._once(outgoing, note, timed.obtain)
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
        """Returns the answer to a question. Retries it with a new token or after a wait if that is asked for."""
        answer, token = await self._once(outgoing)
        if answer.status == 401:
            await self.bearer.renew(token)
            if await self.token() != token:
                answer, _ = await self._once(outgoing)
        if answer.status == 429:
            wait = self._wait_after(answer)
            if wait is not None and wait <= self.manners.longest_wait:
                answer, _ = await self._once(outgoing)
        return answer

    def _wait_after(self, refusal: Answer) -> float | None:
        wait = wait_of(refusal)
        return self.manners.unsaid_wait if wait is None else wait

    async def _once(
        self, outgoing: Outgoing, on_sent: OnSent = _unheard, at_last: OnSent = _unheard
    ) -> tuple[Answer, str]:
        """Sends a request with its token when the pace allows it. Awaits `at_last` directly before sending."""
        try:
            async with self._pace.call():
                token = await self.token()
                await at_last()
                answer = await self._http.send(self._with_token(outgoing, token), on_sent)
        except NotAsked as error:
            raise TemporaryError(f"ledger {self.ledger}: {error}", wait=error.wait) from None
        if answer.status == 429 and (wait := self._wait_after(answer)) is not None:
            self._pace.close(wait, f"the ledger takes no more calls{limit_of(answer)}")
        return answer, token

    def _with_token(self, outgoing: Outgoing, token: str) -> Outgoing:
        scheme = self.manners.scheme
        if not scheme:
            return outgoing
        return replace(outgoing, headers={**outgoing.headers, "Authorization": f"{scheme} {token}"})

    def _judge(self, what: str, outgoing: Outgoing) -> Judge:
        manners = self.manners
        what = f"ledger {self.ledger}: {what}: {outgoing}"
        return Judge(what, manners.error, self._secrets, manners.messages, manners.blocking)


class HttpLedger:
    """The shared part of each `Ledger` behind HTTP: a name, and a client that is open while the ledger is."""

    def __init__(self, client: LedgerClient) -> None:
        self._client = client

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    @property
    def name(self) -> str:
        return self._client.ledger

    @asynccontextmanager
    async def recorded(self, position: str | None) -> AsyncIterator[AsyncIterator[LedgerBatch]]:
        async with aclosing(self._batches(position)) as batches:
            yield batches

    def _batches(self, position: str | None) -> AsyncGenerator[LedgerBatch, None]:
        raise NotImplementedError  # never called: the capabilities exclude it

    async def bill(self, entry: Entry) -> Bill | None:
        raise NotImplementedError  # likewise

    def _said(self, what: str) -> str:
        return f"ledger {self.name}: {what}"
