"""every step of an intent, recorded and told"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from precoro_daemon.payments.ports.journal import Journal, Link
from precoro_daemon.payments.rules.intents import ASSIGNED, Attempt, Intent, Step, moved
from precoro_daemon.payments.rules.matching import LedgerPayment
from precoro_daemon.payments.rules.transitions import UNRESOLVED, Event, State
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_TOLD = {
    State.PLANNED: "payment_planned",
    State.SENDING: "payment_permitted",
    State.CONFIRMED: "payment_confirmed",
    State.REJECTED: "payment_rejected",
    State.DOUBT: "payment_doubted",
    State.REVIEW: "payment_referred",
}
NOTHING_CAME = frozenset({"unsent", "refused"})
"""Outcomes of attempts that made nothing."""

_WORRYING = frozenset({State.REJECTED, State.DOUBT, State.REVIEW})


@dataclass(slots=True)
class Recorder:
    """Writes to the journal and says so in the log, once each. Counts for the report of a lap."""

    journal: Journal
    clock: Clock
    moves: int = 0
    failed: list[str] = field(default_factory=list)

    async def plan(
        self,
        draft: Intent,
        event: Event,
        reason: str,
        claim: LedgerPayment | None = None,
        facts: Mapping[str, str] | None = None,
    ) -> Intent | None:
        intent = await self.journal.plan(draft, self._step(event, reason, facts), claim)
        if intent is not None:
            self._tell(None, intent)
        return intent

    async def replace(
        self, intent: Intent, why: str, draft: Intent, reason: str, claim: LedgerPayment
    ) -> Intent | None:
        """Drop an intent for another one that carries its payment; None, and nothing done, if that is there."""
        drop = self._step(Event.DROP, why, changes={"told": True, "look_at": None})
        begin = self._step(Event.PLAN, reason, {ASSIGNED: "yes"})
        planned = await self.journal.replace(intent, drop, draft, begin, claim)
        if planned is not None:
            self._tell(intent, moved(intent, drop))
            self._tell(None, planned)
        return planned

    async def record(
        self, intent: Intent, event: Event, reason: str = "", facts: Mapping[str, str] | None = None, **changes: Any
    ) -> Intent:
        after = await self.journal.record(intent, self._step(event, reason, facts, changes))
        self._tell(intent, after)
        return after

    async def follow(
        self,
        intent: Intent,
        event: Event,
        reason: str,
        claim: LedgerPayment,
        *,
        link: Link = "carries",
        facts: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> Intent:
        """Record what the books say of it by now."""
        said = {"books": str(claim), **(facts or {})}
        after = await self.journal.record(intent, self._step(event, reason, said, changes), claim, link=link)
        self._tell(intent, after)
        return after

    async def begin(self, intent: Intent, attempt: Attempt, facts: Mapping[str, str]) -> Intent:
        step = Step(Event.SEND, attempt.at, "", facts, {"attempts": attempt.number})
        after = await self.journal.begin(intent, attempt, step)
        self._tell(intent, after)
        return after

    async def end(self, intent: Intent, outcome: str, event: Event, reason: str, **changes: Any) -> Intent:
        after = await self.journal.end(intent, outcome, self._step(event, reason, None, changes))
        self._tell(intent, after)
        return after

    def alarm(self, intent: Intent, reason: str) -> None:
        _log.error("payment_doubled", intent=intent.id, payment=str(intent), reason=reason)
        self.failed.append(f"{intent}: {reason}")

    def _step(
        self,
        event: Event,
        reason: str,
        facts: Mapping[str, str] | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> Step:
        return Step(event, self.clock.now(), reason, facts or {}, changes or {})

    def _tell(self, before: Intent | None, after: Intent) -> None:
        has_moved = before is None or before.state is not after.state
        self.moves += has_moved
        told = _log.warning if has_moved and after.state in _WORRYING else _log.info
        told(
            _TOLD[after.state] if has_moved else "payment_noted",
            intent=after.id,
            payment=str(after),
            direction=after.direction,
            reason=after.reason,
        )


async def others_unresolved(journal: Journal, intent: Intent) -> bool:
    """Whether the invoice has another intent that is on its way: then this one cannot come back to life."""
    if intent.invoice_id is None:
        return False  # a person took it for done without saying of what
    others = await journal.of_invoice(intent.direction, intent.invoice_id)
    return any(one.id != intent.id and one.state in UNRESOLVED for one in others)


def nothing_came(attempts: Sequence[Attempt]) -> bool:
    """Whether every attempt is known to have made nothing."""
    return all(attempt.outcome in NOTHING_CAME for attempt in attempts)
