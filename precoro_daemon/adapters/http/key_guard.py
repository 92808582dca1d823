"""keeps a refused key from being tried again and again"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.adapters.http.exchange import Answer, Request, describe
from precoro_daemon.errors import AuthenticationError, KeyInDoubt, LockedOut
from precoro_daemon.quota.key_standing import KeyStanding, Ruling
from precoro_daemon.quota.limits import Lane
from precoro_daemon.quota.ports import BudgetBook
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_WRONG_KEY = "token, e-mail or region is wrong, or the key was revoked: Precoro says the same of all four"
_NO_KEY_READ = "a web page before the key was read: this address is blocked, or a firewall stands in between"
_BLOCKED = "so were the calls before it: the key or this address is blocked"


class KeyGuard:
    """Applies the verdict of `KeyStanding` to every call of this process and, by the book, to later processes with
    the same credentials.
    """

    def __init__(self, credentials: Credentials, book: BudgetBook, now: Callable[[], float]) -> None:
        self._credentials = credentials
        self._book = book
        self._now = now
        self._standing = KeyStanding()
        self._verdict = ""

    @property
    def proven(self) -> bool:
        return self._standing.proven

    async def recall(self) -> None:
        """Loads the refusals that earlier processes met."""
        refusal = await self._book.load_refusal(self._credentials.fingerprint)
        if refusal is None:
            return
        count, last = refusal
        self._standing.recall(count, last, self._now())
        self._verdict = (
            f"Precoro refused this key {count} times, last at {_utc(last)}. It is tried again from "
            f"{_utc(self._standing.reopens_at)} on, and at once with another token, e-mail or region"
            if self._standing.is_refused(self._now())
            else ""
        )

    def check(self, request: Request) -> None:
        """Raises AuthenticationError while the key is refused and must not be tried again, KeyInDoubt while the
        request is better not made.
        """
        if self._standing.is_refused(self._now()):
            raise AuthenticationError(self._verdict)
        if _is_single(request) and self._standing.is_doubted(self._now()):
            raise KeyInDoubt(
                f"{request}: not asked, as the calls before it were forbidden; it waits for a good answer"
            )

    async def judge(self, request: Request, answer: Answer, sent_at: float) -> None:
        """Raises AuthenticationError, now and for every later call, if the answer refuses the key."""
        if answer.status == 401:
            raise AuthenticationError(await self._refuse(request, answer, _WRONG_KEY))
        if answer.status != 403:
            return
        ruling = self._standing.forbidden(_collection(request), request.target, sent_at, self._now())
        if ruling is Ruling.IN_DOUBT:
            _log.warning("key_doubted", call=str(request))
        if ruling.refuses:
            raise LockedOut(await self._refuse(request, answer, _advice(ruling, answer)))

    async def prove(self, request: Request) -> None:
        """Records a good answer, which proves the key."""
        if self._standing.proved(_collection(request)):
            await self._book.clear_refusal()

    async def _refuse(self, request: Request, answer: Answer, advice: str) -> str:
        """Returns the verdict, which lasts from now on."""
        said = describe(request, answer, self._credentials.secrets)
        self._verdict = f"{said}; {advice} (asked {self._credentials.origin})"
        self._standing.refused(self._now())
        await self._book.save_refusal(self._credentials.fingerprint, self._standing.refusals, self._now())
        return self._verdict


def _advice(ruling: Ruling, answer: Answer) -> str:
    if ruling is Ruling.BLOCKED:
        return _BLOCKED
    return _NO_KEY_READ if answer.header("content-type").startswith("text/html") else _WRONG_KEY


def _is_single(request: Request) -> bool:
    """Returns whether the request is for a single document or file, and no payment waits for it."""
    return request.method == "GET" and request.path.count("/") > 1 and request.lane is not Lane.PAYMENTS


def _collection(request: Request) -> str:
    return request.path.split("/")[1]


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
