"""resolves payments to the ledger with unknown outcomes, by what the ledger guarantees"""

from __future__ import annotations

from collections.abc import Sequence

from precoro_daemon.errors import PermanentError, SeveralFound, TemporaryError
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.events import Check, Differ, Find, Hold, Lose, Repeat
from precoro_daemon.payments.rules.history import terms_of
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.receipts import Receipt, fault, usable_id
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.writes.checks import next_check
from precoro_daemon.writes.in_doubt import PROOF_CHECKS


async def lose(recorder: Recorder, intent: Intent, reason: str) -> Intent:
    """Records that the outcome of the last attempt is unknown."""
    now = recorder.clock.now()
    return await recorder.end(intent, Lose(next_check(now, 0, now)), reason)


async def settle_entries(journal: Journal, access: LedgerAccess, recorder: Recorder) -> Sequence[Intent]:
    """Resolves doubts, and returns the intents that are no longer in doubt: they exist, or a person decides."""
    settled: list[Intent] = []
    for intent in await journal.in_state(Direction.TO_LEDGER, State.SENDING):
        await lose(recorder, intent, "the program ended before the ledger answered")
    for intent in await journal.in_state(Direction.TO_LEDGER, State.DOUBT):
        try:
            after = await _settle(access, recorder, intent)
            settled += [after] if after is not None else []
        except SeveralFound as error:
            settled.append(await refer(recorder, intent, error))
        except (TemporaryError, PermanentError) as error:
            recorder.failed.append(f"{intent}: could not be checked in the ledger: {error}")
    return settled


async def refer(recorder: Recorder, intent: Intent, error: SeveralFound) -> Intent:
    """Leaves several payments under one key to a person, because only a person can void the surplus: to check or send
    again would have the same result.
    """
    adopt = f"`payments adopt {intent.id[:8]} --payment ID` with the id of the one that stays"
    why = f"{error}; void all but one there, then type {adopt}"
    match intent.state:
        case State.SENDING:
            held = await recorder.end(intent, Differ(None), why)
        case State.PLANNED:
            held = await recorder.record(intent, Differ(None), why)
        case _:
            held = await recorder.record(intent, Hold(), why)
    recorder.alarm(held, why)
    return held


async def _settle(access: LedgerAccess, recorder: Recorder, intent: Intent) -> Intent | None:
    """Plans a repeat if that cannot create a second payment; else searches for the payment by its key, or leaves it
    to a person. Returns None while nothing is settled.
    """
    ledger = access.ledger
    if ledger.capabilities.create == "idempotent":
        await recorder.record(intent, Repeat(), "a repeat makes nothing new in this ledger")
        return None
    if ledger.capabilities.lookup == "none":
        return await recorder.record(intent, Hold(), "this ledger cannot be asked whether it has it")
    now = recorder.clock.now()
    if intent.check_at is not None and intent.check_at > now:
        return None
    if (receipt := await ledger.find(intent.id)) is not None:
        return await _found(access, recorder, intent, receipt)
    checks = intent.checks + 1
    if checks < PROOF_CHECKS:
        await recorder.record(intent, Check(next_check(intent.since, checks, now)), "not in the ledger so far")
        return None
    return await recorder.record(intent, Hold(), f"not in the ledger after {checks} checks")


async def _found(access: LedgerAccess, recorder: Recorder, intent: Intent, receipt: Receipt) -> Intent:
    assert intent.invoice_id is not None
    invoices = await access.payments.candidates(intent.invoice_id, "id")
    if why := fault(receipt, terms_of(intent), access.name_of(invoices[0]) if invoices else None):
        return await recorder.end(
            intent, Differ(usable_id(receipt.key)), f"found in the ledger by our key, but {why}"
        )
    return await recorder.end(intent, Find(receipt.key), "found in the ledger by our key")
