"""payments to the books whose outcome is unknown are settled by what the books can promise"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from precoro_daemon.errors import PermanentError, TemporaryError
from precoro_daemon.payments.ports.journal import Journal
from precoro_daemon.payments.ports.ledger import Ledger
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.transitions import Event, State
from precoro_daemon.writes.checks import next_look

_LOOKS = 3


async def lose(recorder: Recorder, intent: Intent, reason: str) -> Intent:
    """The last attempt came to nobody knows what."""
    now = recorder.clock.now()
    look_at = next_look(now, 0, now)
    return await recorder.end(intent, "unknown", Event.LOSE, reason, doubted=True, looks=0, look_at=look_at)


async def settle_entries(journal: Journal, ledger: Ledger, recorder: Recorder) -> Sequence[Intent]:
    """Those of which it is no longer in doubt what becomes of them: there, or left to a person."""
    found: list[Intent] = []
    for intent in await journal.in_state("to_ledger", State.SENDING):
        await lose(recorder, intent, "the program ended before the books answered")
    for intent in await journal.in_state("to_ledger", State.DOUBT):
        try:
            after = await _settle(ledger, recorder, intent)
            found += [after] if after is not None else []
        except (TemporaryError, PermanentError) as error:
            recorder.failed.append(f"{intent}: could not be looked for in the books: {error}")
    return found


async def _settle(ledger: Ledger, recorder: Recorder, intent: Intent) -> Intent | None:
    """What cannot make a second one is simply sent again; else it is looked for by its key, or a person looks."""
    if ledger.capabilities.create == "idempotent":
        await recorder.record(intent, Event.REPEAT, "a repeat makes nothing new in these books")
        return None
    if ledger.capabilities.lookup == "none":
        said = "these books cannot be asked whether they have it"
        return await recorder.record(intent, Event.HOLD, said, look_at=None)
    now = recorder.clock.now()
    if intent.look_at is not None and intent.look_at > now:
        return None
    if (key := await ledger.find(intent.id)) is not None:
        return await recorder.end(intent, "found", Event.FIND, "found in the books by our key", **there(key))
    looks = intent.looks + 1
    look_at = next_look(intent.since, looks, now)
    if looks < _LOOKS:
        await recorder.record(intent, Event.LOOK, "not in the books so far", looks=looks, look_at=look_at)
        return None
    said = f"not in the books after {looks} looks"
    return await recorder.record(intent, Event.HOLD, said, looks=looks, look_at=None)


def there(key: str) -> dict[str, Any]:
    """What is known of an intent once the books have it under that key."""
    return {"remote_id": key, "marked": True, "seen": True, "doubted": False, "look_at": None}
