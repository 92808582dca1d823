"""the account of API calls in SQL"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from precoro_daemon.quota.limits import Lane

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.session import Session, Transactions, Values

_LESSONS = "quota_lessons"
"""The key under which the lessons are stored."""


class SqlBudgetBook:
    """Implements quota.ports.BudgetBook, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def now(self) -> float:
        return float(await self._transactions.value("budget_book.now"))

    async def load(self, since: float) -> Sequence[tuple[float, bytes]]:
        return await self._transactions.read(lambda session: read_calls(session, since))

    async def load_lanes(self, since: float) -> Sequence[tuple[float, Lane]]:
        return await self._transactions.read(lambda session: read_lanes(session, since))

    async def charge(
        self, at: float, key: bytes, lane: Lane | None = None, lessons: Mapping[str, float] | None = None
    ) -> None:
        await self._run("budget_book.charge_call", (at, key, lane), lessons)

    async def move(self, at: float, key: bytes, to: float) -> None:
        await self._transactions.run("budget_book.move_call", (to, at, key))

    async def prune(self, before: float) -> None:
        def work(session: Session) -> None:
            session.put("budget_book.prune_calls", (before,))
            session.put("budget_book.prune_closures", (before,))

        await self._transactions.write(work)

    async def refund(self, at: float, key: bytes) -> None:
        await self._transactions.run("budget_book.refund_call", (at, key))

    async def load_closed(self) -> Mapping[str, float]:
        return await self._transactions.read(read_closed)

    async def close(self, window: str, until: float, lessons: Mapping[str, float] | None = None) -> None:
        await self._run("budget_book.close_window", (window, until), lessons)

    async def load_lessons(self) -> Mapping[str, float]:
        return await self._transactions.read(read_lessons)

    async def _run(self, statement: str, values: Values, lessons: Mapping[str, float] | None) -> None:
        """Runs the statement and saves the lessons in one transaction."""

        def work(session: Session) -> None:
            session.put(statement, values)
            if lessons is not None:
                session.put("meta.write", (_LESSONS, json.dumps(dict(lessons))))

        await self._transactions.write(work)

    async def load_refusal(self, fingerprint: str) -> tuple[int, float] | None:
        row = await self._transactions.row("budget_book.read_refusal", (fingerprint,))
        return None if row is None else (row["count"], row["at"])

    async def save_refusal(self, fingerprint: str, count: int, at: float) -> None:
        await self._transactions.run("budget_book.save_refusal", (fingerprint, count, at))

    async def clear_refusal(self) -> None:
        await self._transactions.run("budget_book.clear_refusals")


def read_lessons(session: Session) -> Mapping[str, float]:
    row = session.row("meta.read", (_LESSONS,))
    return {} if row is None else _numbers(row["value"])


def _numbers(text: str) -> Mapping[str, float]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    known = found.items() if isinstance(found, dict) else ()
    return {name: float(number) for name, number in known if isinstance(number, int | float)}


def read_calls(session: Session, since: float) -> Sequence[tuple[float, bytes]]:
    return [(row["at"], row["key_hash"]) for row in session.rows("budget_book.read_calls", (since,))]


def read_lanes(session: Session, since: float) -> Sequence[tuple[float, Lane]]:
    return [(row["at"], Lane(row["lane"])) for row in session.rows("budget_book.read_lanes", (since,))]


def read_closed(session: Session) -> Mapping[str, float]:
    return {row["window"]: row["until"] for row in session.rows("budget_book.read_closures")}
