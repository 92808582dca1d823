"""payments to the books whose outcome is unknown are settled by what the books can promise"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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


async def settle_entries(journal: Journal, ledger: Ledger, keeper: Keeper) -> Sequence[Intent]:
    """Those of which it is no longer in doubt what becomes of them: there, or left to a person."""
    found: list[Intent] = []
    for intent in await journal.in_state("to_ledger", State.SENDING):
        await lose(keeper, intent, "the program ended before the books answered")
    for intent in await journal.in_state("to_ledger", State.DOUBT):
        try:
            after = await _settle(ledger, keeper, intent)
            found += [after] if after is not None else []
        except (TemporaryError, PermanentError) as error:
            keeper.failed.append(f"{intent}: could not be looked for in the books: {error}")
    return found


async def _settle(ledger: Ledger, keeper: Keeper, intent: Intent) -> Intent | None:
    """What cannot make a second one is simply sent again; else it is looked for by its key, or a person looks."""
    if ledger.abilities.create == "idempotent":
        await keeper.record(intent, Event.REPEAT, "a repeat makes nothing new in these books")
        return None
    if ledger.abilities.lookup == "none":
        said = "these books cannot be asked whether they have it"
        return await keeper.record(intent, Event.HOLD, said, look_at=None)
    now = keeper.clock.now()
    if intent.look_at is not None and intent.look_at > now:
        return None
    if (key := await ledger.find(intent.id)) is not None:
        return await keeper.end(intent, "found", Event.FIND, "found in the books by our key", **there(key))
    looks = intent.looks + 1
    look_at = next_look(intent.since, looks, now)
    if looks < _LOOKS:
        await keeper.record(intent, Event.LOOK, "not in the books so far", looks=looks, look_at=look_at)
        return None
    said = f"not in the books after {looks} looks"
    return await keeper.record(intent, Event.HOLD, said, looks=looks, look_at=None)


def there(key: str) -> dict[str, Any]:
    """What is known of an intent once the books have it under that key."""
    return {"remote_id": key, "marked": True, "seen": True, "doubted": False, "look_at": None}
