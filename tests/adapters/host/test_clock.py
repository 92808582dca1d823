"""Real time: never backwards, set once by a server, faster for rehearsals."""

from __future__ import annotations

import time

import anyio
import pytest

from precoro_daemon.adapters.host.clock import RealClock


def test_it_counts_unix_seconds_and_never_backwards():
    clock = RealClock()
    assert clock.now() == pytest.approx(time.time(), abs=1)
    stamps = [clock.now() for _ in range(1000)]
    assert stamps == sorted(stamps)


def test_it_runs_as_fast_as_told():
    clock = RealClock(time_scale=1000.0)
    began = clock.now()
    time.sleep(0.02)
    assert clock.now() - began >= 20


@pytest.mark.asyncio
async def test_sleep_is_shorter_by_the_same_factor_and_never_too_short():
    clock = RealClock(time_scale=1000.0)
    began = clock.now()
    with anyio.fail_after(60):
        await clock.sleep(30.0)
    assert clock.now() - began >= 30.0


@pytest.mark.asyncio
@pytest.mark.parametrize("seconds", [0.0, -5.0])
async def test_nothing_to_wait_for_is_no_wait(seconds: float):
    with anyio.fail_after(60):
        await RealClock().sleep(seconds)


@pytest.mark.parametrize("shift", [-86400.0, 86400.0, 3.0])
def test_the_first_server_sets_it_and_no_other(shift: float):
    clock = RealClock()
    server_now = clock.now() + shift
    assert clock.anchor(server_now) == pytest.approx(shift, abs=1)
    assert clock.now() == pytest.approx(server_now, abs=1)
    assert clock.anchor(server_now + 5000) == 0.0
    assert clock.now() == pytest.approx(server_now, abs=1)


@pytest.mark.parametrize("shift", [-600.0, 600.0])
def test_until_a_server_sets_it_it_goes_by_what_others_agree_on(shift: float):
    clock = RealClock()
    clock.begin_at(clock.now() + shift)
    assert clock.now() == pytest.approx(time.time() + shift, abs=1)
    clock.anchor(time.time())
    clock.begin_at(clock.now() + shift)
    assert clock.now() == pytest.approx(time.time(), abs=1), "a server's word is better"
    rehearsal = RealClock(20.0)
    rehearsal.begin_at(time.time() + shift)
    assert rehearsal.now() == pytest.approx(time.time(), abs=100)


def test_a_date_cut_to_the_second_does_not_move_a_right_clock():
    clock = RealClock()
    assert clock.anchor(clock.now() - 1.5) == 0.0
    assert clock.now() == pytest.approx(time.time(), abs=1)
