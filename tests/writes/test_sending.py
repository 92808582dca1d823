"""One write under a permit: whatever interrupts it, what was begun leaves a record."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio
import anyio.lowlevel
import pytest

from precoro_daemon.errors import BudgetSpent, StaleWrite
from precoro_daemon.writes.outcome import Outcome, OutcomeKind
from precoro_daemon.writes.permit import Permit
from precoro_daemon.writes.sending import write_once

pytestmark = pytest.mark.asyncio
MADE = Outcome(OutcomeKind.ACCEPTED, result=7)


@dataclass
class Journal:
    """What was begun and lost. `refusal` is raised instead of a permit."""

    refusal: Exception | None = None
    rows: list[str] = field(default_factory=list)

    async def begin(self, body: str) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.rows.append(f"begun {body}")
        return body

    async def lose(self, begun: str, reason: str) -> None:
        await anyio.lowlevel.checkpoint()  # where a cancelled task would end
        self.rows.append(f"lost {begun}: {reason}")


async def test_the_permit_comes_before_the_outcome() -> None:
    journal = Journal()

    async def send(permit: Permit) -> Outcome[int]:
        await permit("hash")
        return MADE

    assert await write_once(journal.begin, send, journal.lose) == ("hash", MADE)
    assert journal.rows == ["begun hash"]


async def test_a_permit_that_was_long_in_coming_lets_nothing_leave() -> None:
    """As that of a process that stood still while it was made durable."""
    journal = Journal()
    clock = iter((100.0, 105.1))

    async def send(permit: Permit) -> Outcome[int]:
        await permit("hash")
        raise AssertionError("sent")

    begun, outcome = await write_once(journal.begin, send, journal.lose, elapsed=lambda: next(clock))
    assert (begun, outcome.kind) == ("hash", OutcomeKind.UNSENT)
    assert journal.rows == ["begun hash"]


@pytest.mark.parametrize("permitted", [True, False])
async def test_what_is_cancelled_after_the_permit_is_recorded_as_lost(permitted: bool) -> None:
    journal = Journal()

    async def send(permit: Permit) -> Outcome[int]:
        if permitted:
            await permit("hash")
        await anyio.sleep_forever()
        return MADE

    with anyio.move_on_after(0.01) as scope:
        await write_once(journal.begin, send, journal.lose)
    assert scope.cancelled_caught
    lost = ["begun hash", "lost hash: cancelled while it was being sent"]
    assert journal.rows == (lost if permitted else [])


@pytest.mark.parametrize("refusal", [StaleWrite("somebody else"), None])
async def test_what_happens_before_the_permit_passes_through(refusal: Exception | None) -> None:
    journal = Journal(refusal)

    async def send(permit: Permit) -> Outcome[int]:
        if refusal is None:
            raise BudgetSpent("over", resume_at=1.0)
        await permit("hash")
        return MADE

    with pytest.raises(BudgetSpent if refusal is None else StaleWrite):
        await write_once(journal.begin, send, journal.lose)
    assert journal.rows == []
