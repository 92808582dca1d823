"""invoices that fail in a lap: whether the invoice or the server is at fault"""

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
"""Errors of reading an invoice that are caused by the invoice or the server."""

INVOICE_REFUSALS = (Forbidden, Refused)
"""Errors caused by the invoice or by the key, which gets blocked if it keeps failing."""


@dataclass(slots=True)
class LapFaults:
    """Decides, by the other invoices of a lap, whose fault a failure is: if one was answered, the server is well.

    After three failures in a row no more invoices are requested, because each costs five calls.

    failed   the error of each invoice that failed
    refused  the same for those that Precoro refused to show
    is_well  whether another invoice was answered
    """

    failed: dict[int | str, TemporaryError] = field(default_factory=dict)
    refused: dict[int | str, DaemonError] = field(default_factory=dict)
    is_well: bool = False
    _breaker: CircuitBreaker = field(default_factory=CircuitBreaker)

    def begin(self) -> None:
        """Starts a lap, in which nothing is known yet."""
        self.failed, self.refused, self.is_well, self._breaker = {}, {}, False, CircuitBreaker()

    def refuse_more(self, idn: int | str) -> None:
        """Raises TemporaryError if the invoice failed in this lap already, or the ones before it failed in a row."""
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
        """Returns, at the end of the lap, the invoices that alone failed.

        If no other invoice shows whether the server is well, `is_server_well` finds out. Only another invoice
        shows whether the key may read invoices.
        """
        return {**await self._failed_alone(is_server_well), **(self.refused if self.is_well else {})}

    async def _failed_alone(self, is_server_well: Callable[[], Awaitable[bool]]) -> Mapping[int | str, DaemonError]:
        if not self.failed or (self._is_out and not self.is_well):
            return {}
        is_known = self.is_well and not self._is_out
        return self.failed if is_known or await is_server_well() else {}

    @property
    def _is_out(self) -> bool:
        return self._breaker.faults >= self._breaker.most_faults
