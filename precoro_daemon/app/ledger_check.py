"""what `check` finds out about the ledger: can it be read, searched and written to"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio

from precoro_daemon.app.findings import Finding
from precoro_daemon.app.ledger import open_ledger
from precoro_daemon.app.payments import misfits_of
from precoro_daemon.app.state import state_of
from precoro_daemon.errors import LedgerMisfit
from precoro_daemon.payments.commands import import_warning
from precoro_daemon.payments.ports.ledger import Ledger
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch
from precoro_daemon.settings import Settings
from precoro_daemon.values.humanize import many

_UNUSED_KEY = "0" * 32
"""Under which no ledger has a payment."""


async def check_ledger(settings: Settings) -> Finding:
    """What it can do, as far as jobs are enabled. Nothing is written, neither there nor here.

    Raises ConfigurationError, LedgerMisfit with all faults at once, TemporaryError.
    """
    marks, exports = settings.mark_invoices_paid.enabled, settings.export_payments.enabled
    async with open_ledger(settings) as ledger:
        if ledger is None:
            return Finding("none is named in [ledger]", {"name": None})
        for misfit in misfits_of(settings, ledger.capabilities).values():
            raise misfit
        said = [await _reading(ledger, await _position(settings, ledger.name))] if marks else []
        if exports:
            said += await _recording(ledger)
    answer = f"{ledger.name} {'; '.join(said) or 'is not used: no job of payments is enabled'}"
    warnings = import_warning(await _imported(settings)) if said else ()
    facts = {"name": ledger.name, "reads": marks, "records": exports, "warnings": list(warnings)}
    return Finding("\n".join((answer, *(f"{'':15}{warning}" for warning in warnings))), facts)


async def _imported(settings: Settings) -> Mapping[str, int]:
    """Invoices that Precoro's own connectors know."""
    state = state_of(settings)
    if not await anyio.to_thread.run_sync(state.exists):
        return {}
    async with state.open_read_only() as store:
        return await store.ledger_payments.imported()


async def _reading(ledger: Ledger, position: str | None) -> str:
    """Readable is what was read: where nothing is new, that is the first payment there is."""
    batch = await _first(ledger, position)
    if position is not None and not batch.payments and not batch.unreadable:
        batch = await _first(ledger, None)
    if batch.payments:
        shown = f"can be read, such as {batch.payments[0]}"
        currencies = sorted({one.currency or "no currency" for one in batch.payments})
        shown += f" (seen: {', '.join(currencies)})"
        if batch.unreadable:
            shown += f"; {many(len(batch.unreadable), 'row')} of it cannot be read, such as {batch.unreadable[0].key}"
        return shown
    if batch.unreadable:
        row = batch.unreadable[0]
        raise LedgerMisfit(f"ledger {ledger.name}: no payment could be read; row {row.key}: {row.reason}")
    return "can be asked, and has no payments yet"


async def _first(ledger: Ledger, position: str | None) -> LedgerBatch:
    async with ledger.recorded(position) as batches:
        async for batch in batches:
            return batch
    return LedgerBatch([], [], position or "")


async def _recording(ledger: Ledger) -> Sequence[str]:
    said = []
    if ledger.capabilities.lookup == "key":
        await ledger.find(_UNUSED_KEY)
        said.append("can be searched for a payment")
    probes = await ledger.probe()
    if faults := [f"{probe.what}: {probe.fault}" for probe in probes if probe.fault]:
        raise LedgerMisfit(f"ledger {ledger.name}: " + "\n".join(faults))
    return [*said, *(probe.what for probe in probes)]


async def _position(settings: Settings, ledger: str) -> str | None:
    state = state_of(settings)
    if not await anyio.to_thread.run_sync(state.exists):
        return None
    async with state.open_read_only() as store:
        return await store.ledger_payments.position(ledger)
