"""What a person sees while the service runs."""

from __future__ import annotations

import io

import pytest
from msgspec.structs import replace
from rich.console import Console, RenderableType

from precoro_daemon.cli.fleet_screen import fleet
from precoro_daemon.cli.service_screen import ServiceScreen, service
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.runtime.job_state import Event, JobStatus
from precoro_daemon.status.companies import CompanyGlance, Standing
from precoro_daemon.status.pulse import Pulse
from precoro_daemon.status.snapshot import Live, Snapshot
from tests.status.snapshots import JOBS, NOW, quiet, troubled


def shown(snapshot: Snapshot, width: int = 80, height: int = 60) -> str:
    return printed(service(snapshot, height), width)


def printed(seen: RenderableType, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(seen, crop=False)
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


def test_where_there_is_little_room_jobs_that_do_nothing_are_left_out(running: JobStatus) -> None:
    others = [JobStatus(name, next_at=NOW + 60 * number) for number, name in enumerate(JOBS) if name != running.name]
    text = shown(of_jobs(*others, running), height=24)
    assert len(text.splitlines()) <= 23, text
    assert "Ctrl-C ends it." in text
    assert line(text, "mirror collections")[:2] == ["running", "for"]
    assert line(text, "mark invoices paid")[:3] == ["idle", "in", "60"]
    assert "apply deliveries" not in text


def test_an_ending_service_says_so(running: JobStatus) -> None:
    day = of_jobs(running)
    day.pulse.stopping = True
    assert "Ending: the calls in flight are finished." in shown(day)


class Vanished(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_terminal_that_vanished_is_told_and_raises_nothing(running: JobStatus) -> None:
    lost: list[bool] = []
    screen = ServiceScreen(Console(file=Vanished(), force_terminal=True), lambda: lost.append(True), service)
    screen.show(of_jobs(running))
    screen.show(of_jobs(running))
    screen.close()
    assert lost


def seen(*standings: Standing) -> list[CompanyGlance]:
    return [CompanyGlance(f"c{number:03}", standing, snapshot=quiet()) for number, standing in enumerate(standings)]


def test_of_many_companies_those_in_need_are_seen_first_with_what_to_type() -> None:
    found = [
        *seen(*["running"] * 198),
        CompanyGlance("zeta", "running", snapshot=troubled()),
        CompanyGlance("yota", "refused", "yota.toml: limits.per_day: 5 is too little\nand more"),
    ]
    text = printed(fleet(found, 24, 600.0, lambda name: f"precoro-daemon --config {name}.toml"))
    assert len(text.splitlines()) <= 23, text
    assert line(text, "zeta")[0] == "served"
    assert line(text, "yota")[0] == "refused"
    assert "Up for 10 min; 199 of 200 companies served." in text
    assert "▲ yota: yota.toml: limits.per_day: 5 is too little" in text
    assert "    $ precoro-daemon --config yota.toml check" in text
    assert "    $ precoro-daemon --config zeta.toml status" in text
    rows = [one.split()[0] for one in text.splitlines() if " served " in one and "companies" not in one]
    assert f"and {200 - len(rows) - 1:,} more" in text
    assert rows[:-1] == [f"c{number:03}" for number in range(len(rows) - 1)]
    assert "Ctrl-C ends it." in text


def test_many_companies_in_need_leave_room_for_the_rest() -> None:
    found = [CompanyGlance(f"c{number:03}", "running", snapshot=troubled()) for number in range(60)]
    text = printed(fleet(found, 24, 600.0, str))
    assert len(text.splitlines()) <= 23, text
    assert "Ctrl-C ends it." in text
    assert "and 57 more that need a person" in text
    assert line(text, "c000")[-2:] == ["at", "once"]


def test_few_companies_are_all_seen_in_their_order() -> None:
    text = printed(fleet(seen("running", "starting", "elsewhere"), 40, 5.0, str))
    assert [line(text, name)[0] for name in ("c000", "c001", "c002")] == ["served", "starting", "elsewhere"]
    assert " more" not in text


@pytest.mark.parametrize(("standings", "ending"), [(["stopping", "refused"], True), (["stopping", "running"], False)])
def test_a_fleet_that_ends_says_so(standings: list[Standing], ending: bool) -> None:
    text = printed(fleet(seen(*standings), 40, 5.0, str))
    assert ("Ending: the calls in flight are finished." in text) is ending
