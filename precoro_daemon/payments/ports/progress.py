"""receives what happened to payments in a run"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from precoro_daemon.payments.rules.intents import Intent


@dataclass(frozen=True, slots=True)
class PaymentsAfterRun:
    """What happened to payments in a run.

    moved    intents that changed their state in the run, with the amounts sent
    waiting  intents that are neither done nor refused
    closed   why none may be sent now, "" if they may
    """

    moved: Sequence[Intent] = ()
    waiting: Sequence[Intent] = ()
    closed: str = ""


class PaymentProgress(Protocol):
    """Receives what happened to payments. Its methods are cheap and never raise."""

    def payments_ended(self, found: PaymentsAfterRun) -> None:
        """Called once, when the run is over; never without a ledger."""
        ...
