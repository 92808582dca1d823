"""journals and logs every step of an intent"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from precoro_daemon.payments.ports.journal import Beginning, Journal, Link
from precoro_daemon.payments.rules.events import Assigned, Drop, Event, Hold, Plan, Send
from precoro_daemon.payments.rules.intents import Attempt, Intent, Step
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
from precoro_daemon.payments.rules.states import UNRESOLVED, State
from precoro_daemon.payments.rules.transitions import moved
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_LOGGED = {
    State.PLANNED: "payment_planned",
    State.SENDING: "payment_permitted",
    State.CONFIRMED: "payment_confirmed",
    State.REJECTED: "payment_rejected",
    State.DOUBT: "payment_doubted",
    State.REVIEW: "payment_review_needed",
}

_WORRYING = frozenset({State.REJECTED, State.DOUBT, State.REVIEW})

_LOGGED_EACH = 100
"""The most payments planned together that get a log line each: more lines would not be read, and the journal has them
all.
"""


@dataclass(slots=True)
class Recorder:
    """Journals each step and logs it once. Counts steps and failures for the report of a lap."""

    journal: Journal
    clock: Clock
    moves: int = 0
    failed: list[str] = field(default_factory=list)

    async def plan(self, new: Intent, event: Plan | Hold, reason: str) -> Intent | None:
        intent = await self.journal.plan(new, self.step(event, reason))
        if intent is not None:
            self._notify(None, intent)
        return intent

    async def plan_many(self, beginnings: Sequence[Beginning]) -> Sequence[Intent | None]:
        """Does `plan` for all of them in one commit, because a commit costs more than the rows in it. Many planned
        payments are logged as one count; one that is not planned has its own line.
        """
        intents = await self.journal.plan_many(beginnings)
        begun = [intent for intent in intents if intent is not None]
        planned = [intent for intent in begun if intent.state is State.PLANNED]
        together = planned if len(planned) > _LOGGED_EACH else []
        if together:
            self.moves += len(together)
            _log.info("payments_planned", count=len(together), first=str(together[0]), last=str(together[-1]))
        for intent in begun:
            if not together or intent.state is not State.PLANNED:
                self._notify(None, intent)
        return intents

    async def replace(
        self, intent: Intent, why: str, new: Intent, reason: str, payment: LedgerPayment
    ) -> Intent | None:
        """Replaces an intent by another one that carries its payment. Returns None, and does nothing, if the new one
        cannot begin.
        """
        drop, begin = self.step(Drop(), why), self.step(Plan(Assigned()), reason)
        planned = await self.journal.replace(intent, drop, new, begin, payment)
        if planned is not None:
            self._notify(intent, moved(intent, drop))
            self._notify(None, planned)
        return planned

    async def record(
        self, intent: Intent, event: Event, reason: str = "", facts: Mapping[str, str] | None = None
    ) -> Intent:
        after = await self.journal.record(intent, self.step(event, reason, facts))
        self._notify(intent, after)
        return after

    async def follow(
        self, intent: Intent, event: Event, reason: str, payment: LedgerPayment, *, link: Link = "carries"
    ) -> Intent:
        """Records a step that follows what the ledger now says about the payment."""
        step = self.step(event, reason, {"ledger": str(payment)})
        after = await self.journal.record(intent, step, payment, link=link)
        self._notify(intent, after)
        return after

    async def begin(self, intent: Intent, attempt: Attempt, facts: Mapping[str, str]) -> Intent:
        after = await self.journal.begin(intent, attempt, Step(Send(), attempt.at, "", facts))
        self._notify(intent, after)
        return after

    async def end(self, intent: Intent, event: Event, reason: str) -> Intent:
        after = await self.journal.end(intent, self.step(event, reason))
        self._notify(intent, after)
        return after

    def alarm(self, intent: Intent, reason: str) -> None:
        _log.error("payment_doubled", intent=intent.id, payment=str(intent), reason=reason)
        self.failed.append(f"{intent}: {reason}")

    def step(self, event: Event, reason: str, facts: Mapping[str, str] | None = None) -> Step:
        return Step(event, self.clock.now(), reason, facts or {})

    def _notify(self, before: Intent | None, after: Intent) -> None:
        has_moved = before is None or before.state is not after.state
        self.moves += has_moved
        write = _log.warning if has_moved and after.state in _WORRYING else _log.info
        write(
            _LOGGED[after.state] if has_moved else "payment_noted",
            intent=after.id,
            payment=str(after),
            direction=after.direction,
            reason=after.reason,
        )


async def others_unresolved(journal: Journal, intent: Intent) -> bool:
    """Returns whether another intent of the invoice is unresolved: then this one cannot begin again."""
    if intent.invoice_id is None:
        return False  # a person adopted it without naming its invoice
    others = await journal.of_invoice(intent.direction, intent.invoice_id)
    return any(one.id != intent.id and one.state in UNRESOLVED for one in others)
