"""payments to the books whose outcome is unknown are settled by what the books can promise"""

from __future__ import annotations

from precoro_daemon.domain.doubts import next_look
from precoro_daemon.domain.intents import Intent
from precoro_daemon.domain.payments import Event, State
from precoro_daemon.errors import PermanentError, TemporaryError
from precoro_daemon.paying.keeping import Keeper
from precoro_daemon.ports import Journal, Ledger

_LOOKS = 3


async def lose(keeper: Keeper, intent: Intent, reason: str) -> Intent:
    """The last attempt came to nobody knows what."""
    now = keeper.clock.now()
    look_at = next_look(now, 0, now)
    return await keeper.end(intent, "unknown", Event.LOSE, reason, doubted=True, looks=0, look_at=look_at)


async def settle_entries(journal: Journal, ledger: Ledger, keeper: Keeper) -> None:
    for intent in await journal.in_state("to_ledger", State.SENDING):
        await lose(keeper, intent, "the program ended before the books answered")
    for intent in await journal.in_state("to_ledger", State.DOUBT):
        try:
            await _settle(ledger, keeper, intent)
        except (TemporaryError, PermanentError) as error:
            keeper.failed.append(f"{intent}: could not be looked for in the books: {error}")


async def _settle(ledger: Ledger, keeper: Keeper, intent: Intent) -> None:
    """What cannot make a second one is simply sent again; else it is looked for by its key, or a person looks."""
    if ledger.abilities.create == "idempotent":
        await keeper.record(intent, Event.REPEAT, "a repeat makes nothing new in these books")
        return
    if ledger.abilities.lookup == "none":
        await keeper.record(intent, Event.HOLD, "these books cannot be asked whether they have it", look_at=None)
        return
    now = keeper.clock.now()
    if intent.look_at is not None and intent.look_at > now:
        return
    if (key := await ledger.find(intent.id)) is not None:
        changes = {"remote_id": key, "marked": True, "seen": True, "doubted": False, "look_at": None}
        await keeper.end(intent, "found", Event.FIND, "found in the books by our key", **changes)
        return
    looks = intent.looks + 1
    look_at = next_look(intent.since, looks, now)
    if looks < _LOOKS:
        await keeper.record(intent, Event.LOOK, "not in the books so far", looks=looks, look_at=look_at)
    else:
        await keeper.record(intent, Event.HOLD, f"not in the books after {looks} looks", looks=looks, look_at=None)
