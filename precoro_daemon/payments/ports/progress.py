"""who hears what became of payments in a run"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from precoro_daemon.payments.rules.intents import Intent


@dataclass(frozen=True, slots=True)
class PaymentsAfterRun:
    """What became of payments.

    moved    those that changed their state in the run, with the amounts that were sent
    waiting  those that are neither done nor refused
    closed   why none may be sent now, "" if they may
    """

    moved: Sequence[Intent] = ()
    waiting: Sequence[Intent] = ()
    closed: str = ""


class PaymentProgress(Protocol):
    """Who hears what became of payments. Calls are cheap and never raise."""

    def payments_ended(self, found: PaymentsAfterRun) -> None:
        """Once, when the run is over; not at all where there is no ledger."""
        ...
