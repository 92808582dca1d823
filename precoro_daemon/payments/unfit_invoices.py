"""quarantines an invoice that alone is odd or cannot be fetched, so that the others go on"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from precoro_daemon.errors import BadRecord, DaemonError, InvoiceUnfit
from precoro_daemon.mirror.ports.mirror import Mirror, Quarantined
from precoro_daemon.mirror.ports.shapes import ShapeWatch
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.payments.ports.gateway import Fresh
from precoro_daemon.payments.rules.invoices import read_invoice
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_REST_S = 3_600.0
"""Seconds until an unfit invoice is read again, because each reading costs one of the day's calls."""

_FAULTY_REST_S, _LONGEST_FAULTY_REST_S = 900.0, 6 * 3_600.0
"""Seconds until an invoice that cannot be fetched is requested again; they double each time, up to the second value,
because most failures cost five calls.
"""

_FORGOTTEN_AFTER_S = 2 * 86_400.0
"""Seconds without a request after which an unfit invoice is forgotten: its payments were decided otherwise, or
Precoro no longer has it.
"""

_INVOICE_COLLECTION = COLLECTIONS["invoices"]


@dataclass(frozen=True, slots=True)
class UnfitInvoices:
    """Unfit invoices of both directions. `accepted`: fields that a person says changed for good."""

    mirror: Mirror
    shapes: ShapeWatch
    clock: Clock
    accepted: Collection[str] = ()

    def lacks(self, raw: str) -> str:
        """Returns what the detail of an invoice lacks, or has in another form than other invoices; "" if nothing."""
        try:
            read_invoice(raw)
        except BadRecord as error:
            return str(error)
        return ", ".join(self.shapes.lacks(_INVOICE_COLLECTION, raw, self.accepted))

    async def refuse_early(self, idn: int | str) -> None:
        """Raises InvoiceUnfit if it was read too recently."""
        known = await self.mirror.quarantined(_INVOICE_COLLECTION.name, str(idn), Stage.PAYMENT)
        if known is not None and known.retry_at is not None and self.clock.now() < known.retry_at:
            raise InvoiceUnfit(known.reason)

    async def demand(self, idn: int | str, fresh: Fresh) -> None:
        """Raises InvoiceUnfit if the invoice lacks something, and keeps the document for a person to see. Else ends
        its quarantine.
        """
        if lacking := self.lacks(fresh.raw):
            said = f"payments cannot go by invoice {idn}, and by others they can: {lacking}"
            raise await self.quarantined(idn, InvoiceUnfit(said, raw=fresh.raw))
        if await self.mirror.quarantined(_INVOICE_COLLECTION.name, str(idn), Stage.PAYMENT) is not None:
            await self.mirror.release(_INVOICE_COLLECTION.name, str(idn), Stage.PAYMENT)

    async def quarantined(self, idn: int | str, error: InvoiceUnfit) -> InvoiceUnfit:
        """Quarantines the invoice with its document, and returns the error."""
        await self._quarantine(idn, str(error), error.raw, _REST_S)
        return error

    async def quarantine_faulty(self, idn: int | str, error: DaemonError) -> None:
        """Quarantines an invoice that cannot be fetched while others can."""
        known = await self.mirror.quarantined(_INVOICE_COLLECTION.name, str(idn), Stage.PAYMENT)
        attempts = 0 if known is None else known.attempts
        rest = min(_FAULTY_REST_S * 2.0 ** min(attempts, 8), _LONGEST_FAULTY_REST_S)
        await self._quarantine(idn, f"Precoro does not give invoice {idn}, and others it does: {error}", None, rest)

    async def _quarantine(self, idn: int | str, reason: str, raw: str | None, rest: float) -> None:
        now, of = self.clock.now(), (_INVOICE_COLLECTION.name, str(idn), Stage.PAYMENT)
        _log.warning("invoice_quarantined", invoice=idn, reason=reason)
        await self.mirror.quarantine(Quarantined(*of, reason, raw, attempts=1, since=now, retry_at=now + rest))

    async def forget_old(self) -> None:
        await self.mirror.release_unseen(
            _INVOICE_COLLECTION.name, Stage.PAYMENT, self.clock.now() - _FORGOTTEN_AFTER_S
        )
