"""payments of the ledger that no intent carries, and why"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from precoro_daemon.payments.intake import judge
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.ports.ledger_payments import MatchCandidate
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment
from precoro_daemon.payments.rules.states import UNRESOLVED, Direction
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_NAMED_IN_LOG = 5
"""Payments that one line of the log names; the others are counted."""


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A payment of the ledger that no intent carries, and why.

    behind  the payment of its invoice that goes first
    """

    payment: LedgerPayment
    why: str
    behind: Intent | None = None


async def list_unmatched(journal: Journal, access: LedgerAccess, limit: int) -> Sequence[Unmatched]:
    """Returns at most `limit` payments, newest first. Makes no call."""
    found = await access.payments.unmatched(access.name, access.match_by, limit)
    return [await _explained(journal, access, candidate) for candidate in found]


async def log_unmatched(journal: Journal, access: LedgerAccess) -> None:
    """Logs the payments that were not logged before, in one line: their number, and a few of them. Each is logged
    only once.
    """
    count, some = await access.payments.take_unmentioned(access.name, access.match_by, _NAMED_IN_LOG)
    if count:
        explained = [await _explained(journal, access, candidate) for candidate in some]
        examples = [f"{one.payment}: {one.why}" for one in explained]
        _log.warning("ledger_payments_unmatched", ledger=access.name, count=count, examples=examples)


async def _explained(journal: Journal, access: LedgerAccess, candidate: MatchCandidate) -> Unmatched:
    payment = candidate.payment
    if payment.ours is not None:
        return Unmatched(payment, "it carries a key of ours that this state does not know: another one made it")
    if not candidate.candidates:
        return _never_sent(payment, f"no invoice in the mirror is called {payment.invoice!r} ({access.match_by})")
    verdict = judge(access, candidate)
    if verdict.kind == "wait":
        return _never_sent(payment, verdict.reason)
    if verdict.invoice is None:
        return Unmatched(payment, verdict.reason or "the next lap takes it up")
    for other in await journal.of_invoice(Direction.TO_PRECORO, verdict.invoice.id):
        if other.state in UNRESOLVED:
            said = f"it waits behind payment {other.source} of {verdict.invoice}, which is {other.state}"
            return Unmatched(payment, f"{said} (`payments trace {other.id[:8]}`)", other)
    return Unmatched(payment, verdict.reason or "the next lap takes it up")


def _never_sent(payment: LedgerPayment, why: str) -> Unmatched:
    return Unmatched(payment, why if payment.amount > 0 else f"{why}; as it is not above zero, it is never sent")
