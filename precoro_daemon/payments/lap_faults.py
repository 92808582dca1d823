"""invoices that do not come in a lap: whether it is they that fail, or the server"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from precoro_daemon.errors import (
    ConnectionFault,
    DaemonError,
    Forbidden,
    MalformedAnswer,
    Refused,
    ServerFault,
    TemporaryError,
)
from precoro_daemon.quota.circuit_breaker import CircuitBreaker, Outcome

INVOICE_FAULTS = (ServerFault, ConnectionFault, MalformedAnswer)
"""What reading an invoice fails with where the invoice or the server is to blame."""

INVOICE_REFUSALS = (Forbidden, Refused)
"""Where the invoice is to blame, or the key, which is blocked where it keeps failing."""


@dataclass(slots=True)
class LapFaults:
    """The other invoices of a lap show whose affair a failure is: where one was answered, the server is well. After
    three failures in a row no more are asked for: each costs five calls.

    failed    by invoice, what it failed with; refused: the same of those that Precoro did not want to show
    is_well   another one was answered
    """

    failed: dict[int | str, TemporaryError] = field(default_factory=dict)
    refused: dict[int | str, DaemonError] = field(default_factory=dict)
    is_well: bool = False
    _breaker: CircuitBreaker = field(default_factory=CircuitBreaker)

    def begin(self) -> None:
        """Nothing is known yet in this lap."""
        self.failed, self.refused, self.is_well, self._breaker = {}, {}, False, CircuitBreaker()

    def refuse_more(self, idn: int | str) -> None:
        """Raises TemporaryError where asking would come to nothing."""
        if (known := self.failed.get(idn) or self.refused.get(idn)) is not None:
            raise TemporaryError(f"invoice {idn} failed in this lap already: {known}")
        if self._is_out:
            last = next(reversed(self.failed.values()))
            raise TemporaryError(f"invoice {idn} was not asked for: the ones before it failed in a row ({last})")

    def fail(self, idn: int | str, error: TemporaryError) -> None:
        self.failed[idn] = error
        self._breaker = self._breaker.after(Outcome.FAULTY)

    def answer(self) -> None:
        self.is_well = True
        self._breaker = self._breaker.after(Outcome.GOOD)

    async def alone(self, is_server_well: Callable[[], Awaitable[bool]]) -> Mapping[int | str, DaemonError]:
        """At the end of the lap, those that failed alone. The server is asked where the invoices do not tell; whether
        the key may see invoices, only another one tells."""
        return {**await self._failed_alone(is_server_well), **(self.refused if self.is_well else {})}

    async def _failed_alone(self, is_server_well: Callable[[], Awaitable[bool]]) -> Mapping[int | str, DaemonError]:
        if not self.failed or (self._is_out and not self.is_well):
            return {}
        is_known = self.is_well and not self._is_out
        return self.failed if is_known or await is_server_well() else {}

    @property
    def _is_out(self) -> bool:
        return self._breaker.faults >= self._breaker.most_faults
