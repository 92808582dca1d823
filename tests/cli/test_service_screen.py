"""What a person sees while the service runs."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from precoro_daemon.cli.service_screen import ServiceScreen, service
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.runtime.job_state import Event, JobStatus
from precoro_daemon.status.pulse import Pulse
from precoro_daemon.status.snapshot import Live, Snapshot
from tests.status.snapshots import NOW, troubled


def shown(snapshot: Snapshot, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(service(snapshot), crop=False)
    return stream.getvalue()


def of_jobs(*jobs: JobStatus) -> Snapshot:
    return replace(troubled(), live=Live(Pulse(NOW - 600, jobs), up=600.0))


def line(text: str, title: str) -> list[str]:
    (found,) = [one.split() for one in text.splitlines() if one.strip().startswith(title)]
    return found[len(title.split()) :]


@pytest.fixture
def running() -> JobStatus:
    job = JobStatus("mirror_collections", ended_at=NOW - 90, lap=LapReport(1_234))
    for event in (Event.CHECK, Event.BEGIN):
        job.move(event)
    job.begin(NOW - 5)
    return job


def test_each_job_says_what_it_does_and_when_its_next_turn_comes(running: JobStatus) -> None:
    idle = JobStatus("export_payments", next_at=NOW + 120)
    never = JobStatus("take_census", next_at=NOW + 1e9)
    spent = JobStatus("fetch_details", next_at=NOW + 3_600)
    for event in (Event.CHECK, Event.BEGIN, Event.SPEND):
        spent.move(event)
    text = shown(of_jobs(running, idle, never, spent))
    assert line(text, "mirror collections") == ["running", "for", "5", "s", "90", "s", "ago", "1,234"]
    assert line(text, "export payments") == ["idle", "in", "2", "min"]
    assert line(text, "take census") == ["idle"]
    assert line(text, "fetch details") == ["waits", "for", "quota", "in", "60", "min"]
    assert "Up for 10 min; calls left: " in text
    assert "Ctrl-C ends it." in text


def test_what_needs_a_person_stands_below_with_what_to_type(running: JobStatus) -> None:
    text = shown(of_jobs(running))
    assert text.count("▲") + text.count("●") == 3
    assert "and 9 more: precoro-daemon --config " in text
    assert "    $ precoro-daemon" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_it_fits_the_screen(running: JobStatus, width: int) -> None:
    lines = [line for line in shown(of_jobs(running), width).splitlines() if "$" not in line]
    assert max(map(len, lines)) <= width


def test_an_ending_service_says_so(running: JobStatus) -> None:
    day = of_jobs(running)
    day.pulse.stopping = True
    assert "Ending: the calls in flight are finished." in shown(day)


class Vanished(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_terminal_that_vanished_is_told_and_raises_nothing(running: JobStatus) -> None:
    lost: list[bool] = []
    screen = ServiceScreen(Console(file=Vanished(), force_terminal=True), lambda: lost.append(True))
    screen.show(of_jobs(running))
    screen.show(of_jobs(running))
    screen.close()
    assert lost
