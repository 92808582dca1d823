"""a key that Precoro refuses is not tried again and again"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from precoro_daemon.adapters.http.exchange import Answer, Credentials, Request, describe
from precoro_daemon.errors import AuthenticationError, KeyInDoubt, LockedOut
from precoro_daemon.quota.budget import Lane
from precoro_daemon.quota.ports import BudgetBook
from precoro_daemon.telemetry import get_logger

_log = get_logger()

MOST_TRIES = 3
_WRONG_KEY = "token, e-mail or region is wrong, or the key was revoked: Precoro says the same of all four"
_BLOCKED = "a web page before the key was looked at: this address is blocked, or a firewall stands in between"

PATIENCE = 900.0
"""Seconds between two tries after that; Precoro blocks keys and addresses that keep failing."""


class KeyGuard:
    """Trips on a refused key, for this process and, by the book, for the next ones with the same credentials. After a
    while one call may try it again, and others follow when that one was answered.

    A 401 refuses the key. So does a 403 before any success, and three in a row where the key was welcome before. A
    collection that never was open to it says nothing: a missing role closes whole collections. After two in a row no
    single document or file is asked for until another call shows how it is: some may be closed to a good key.
    """

    def __init__(self, credentials: Credentials, book: BudgetBook, now: Callable[[], float]) -> None:
        self._credentials = credentials
        self._book = book
        self._now = now
        self._tries = 0
        self._welcome: set[str] = set()
        self._forbidden: dict[str, float] = {}
        self._verdict = ""
        self._reopens_at = 0.0
        self.proven = False

    async def recall(self) -> None:
        """Learn what earlier processes were told."""
        refusal = await self._book.load_refusal(self._credentials.fingerprint)
        if refusal is None:
            return
        self._tries, last = refusal
        reopens = min(last, self._now()) + PATIENCE
        if self._tries >= MOST_TRIES and reopens > self._now():
            self._reopens_at = reopens
            self._verdict = (
                f"Precoro refused this key {self._tries} times, last at {_utc(last)}. It is tried again from "
                f"{_utc(reopens)} on, and at once with another token, e-mail or region"
            )

    def check(self, request: Request) -> None:
        """Raises AuthenticationError while the key stands refused and is not to be tried again, KeyInDoubt while
        the request is better not made."""
        if self._verdict and self._now() < self._reopens_at:
            raise AuthenticationError(self._verdict)
        if _is_single(request) and len(self._lately(self._now())) >= MOST_TRIES - 1:
            raise KeyInDoubt(
                f"{request}: not asked, as the calls before it were forbidden; it waits for a good answer"
            )

    async def judge(self, request: Request, answer: Answer, sent_at: float) -> None:
        """Raises AuthenticationError, now and for every later call, if the answer refuses the key."""
        if answer.status == 401:
            raise AuthenticationError(await self._trip(request, answer, _WRONG_KEY))
        if answer.status != 403:
            return
        if not self._welcome:
            page = answer.header("content-type").startswith("text/html")
            raise LockedOut(await self._trip(request, answer, _BLOCKED if page else _WRONG_KEY))
        if _collection(request) in self._welcome:
            self._doubt(request, sent_at)
        if len(self._forbidden) >= MOST_TRIES:
            advice = "so were the calls before it: the key or this address is blocked"
            raise LockedOut(await self._trip(request, answer, advice))

    def _doubt(self, request: Request, sent_at: float) -> None:
        """Calls that were under way together say it once. From now on they go one by one, until one succeeds."""
        self.proven = False
        now = self._now()
        self._forbidden = self._lately(now)
        if any(sent_at < at for at in self._forbidden.values()):
            return
        self._forbidden[request.target] = now
        if len(self._forbidden) == MOST_TRIES - 1:
            _log.warning("key_doubted", call=str(request))

    def _lately(self, now: float) -> dict[str, float]:
        return {target: at for target, at in self._forbidden.items() if at > now - PATIENCE}

    async def prove(self, request: Request) -> None:
        """A call was answered as it should be: the key is good."""
        self.proven = True
        self._verdict = ""
        self._welcome.add(_collection(request))
        self._forbidden.clear()
        if self._tries:
            self._tries = 0
            await self._book.clear_refusal()

    async def _trip(self, request: Request, answer: Answer, advice: str) -> str:
        """The verdict, which stands from now on."""
        self._tries += 1
        self._forbidden.clear()
        told = describe(request, answer, self._credentials.secrets)
        self._verdict = f"{told}; {advice} (asked {self._credentials.origin})"
        self._reopens_at = self._now() + PATIENCE
        self.proven = False
        await self._book.save_refusal(self._credentials.fingerprint, self._tries, self._now())
        return self._verdict


def _is_single(request: Request) -> bool:
    """One document or file, and no payment that waits for it."""
    return request.method == "GET" and request.path.count("/") > 1 and request.lane is not Lane.PAYMENTS


def _collection(request: Request) -> str:
    return request.path.split("/")[1]


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
