"""When a job has its turn by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from precoro_daemon.runtime.schedules import Cron, Every

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(*moment: int) -> float:
    return datetime(*moment, tzinfo=BERLIN).timestamp()  # type: ignore[arg-type, misc]


def test_every_counts_from_the_beginning_of_the_last_turn() -> None:
    assert Every(300).after(1000.0) == 1300.0
    assert Every(1200).turns_a_day == 72


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(
    ("text", "now", "then"),
    [
        ("*/10 6-20 * * 1-5", at(2026, 11, 25, 7, 3), at(2026, 11, 25, 7, 10)),
        ("*/10 6-20 * * 1-5", at(2026, 11, 27, 20, 50), at(2026, 11, 30, 6, 0)),
        ("0 3 * * *", at(2026, 11, 25, 3, 0), at(2026, 11, 26, 3, 0)),
        ("30 2 * * *", at(2026, 3, 28, 12, 0), at(2026, 3, 29, 3, 30)),  # 2:30 does not exist on that day
        # An hour comes twice: what is meant for every hour is meant for both, what is meant for two o'clock for one.
        ("*/10 * * * *", at(2026, 10, 25, 2, 50), at(2026, 10, 25, 2, 50) + 600),
        ("*/10 * * * *", at(2026, 10, 25, 2, 50) + 600, at(2026, 10, 25, 2, 50) + 1200),
        ("*/10 * * * *", at(2026, 10, 25, 2, 50) + 3600, at(2026, 10, 25, 3, 0)),
        ("30 * * * *", at(2026, 10, 25, 2, 30), at(2026, 10, 25, 2, 30) + 3600),
        ("30 2 * * *", at(2026, 10, 25, 2, 30), at(2026, 10, 26, 2, 30)),
    ],
)
def test_cron_is_in_this_machines_time_zone(text: str, now: float, then: float) -> None:
    assert Cron(text).after(now) == then


@pytest.mark.parametrize(
    ("text", "turns"), [("*/10 6-20 * * 1-5", 90), ("0 3 * * *", 1), ("* * * * *", 1440), ("0 0 1 1 *", 1)]
)
def test_turns_of_a_busy_day_are_counted(text: str, turns: float) -> None:
    assert Cron(text).turns_a_day == turns


@pytest.mark.parametrize("text", ["", "soon", "* * * *", "61 * * * *", "* * 31 2 *", "5m"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is what was read
        Cron(text)


@pytest.mark.usefixtures("in_berlin")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.floats(0, 4e9) | st.floats(at(2026, 10, 25, 1), at(2026, 10, 25, 4)),  # an hour that comes twice
    st.sampled_from(["*/7 * * * *", "0 3 * * *", "15 10 1 * *", "0 12 * * 0", "30 2 * * *"]),
)
def test_a_turn_is_always_later(now: float, text: str) -> None:
    assert Cron(text).after(now) > now
