"""Few start at once, in their order; one that takes long holds up nobody."""

from __future__ import annotations

import anyio

from precoro_daemon.runtime.start_gate import StartGate
from tests.runtime.hours import in_virtual_time


@in_virtual_time
async def test_four_start_at_once_and_the_others_follow_in_their_order() -> None:
    gate, began, at_once = StartGate(), list[int](), list[int]()
    running = 0

    async def start(number: int) -> None:
        nonlocal running
        await gate.enter(number)
        running += 1
        began.append(number)
        at_once.append(running)
        await anyio.sleep(1 + number % 3)
        running -= 1
        gate.leave(number)
        gate.leave(number)  # ready, and ended later

    async with anyio.create_task_group() as tasks:
        for number in range(40):
            tasks.start_soon(start, number)
    assert began == list(range(40))
    assert max(at_once) == 4
    assert running == 0


@in_virtual_time
async def test_starts_that_hang_hold_up_the_others_for_ten_seconds_once() -> None:
    gate = StartGate()
    for number in range(4):
        await gate.enter(f"hangs {number}")
    assert anyio.current_time() == 0
    for number in range(20):
        await gate.enter(number)
        await anyio.sleep(0.1)
        gate.leave(number)
    assert anyio.current_time() < 10 + 20 * 0.1 + 0.01


@in_virtual_time
async def test_who_gives_up_waiting_leaves_the_turn_to_the_next() -> None:
    gate = StartGate()
    for number in range(4):
        await gate.enter(number)
    with anyio.move_on_after(1) as gave_up:
        await gate.enter("impatient")
    assert gave_up.cancelled_caught
    gate.leave("impatient")
    gate.leave(0)
    with anyio.fail_after(0.1):
        await gate.enter("next")
