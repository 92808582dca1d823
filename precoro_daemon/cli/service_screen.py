"""the live screen while the service runs: jobs, their turns, the quota, and what needs a person"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from math import inf
from typing import Generic, TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from precoro_daemon.cli.console import as_line
from precoro_daemon.cli.sheets import Sheet
from precoro_daemon.runtime.job_state import JobStatus, State
from precoro_daemon.status.attention import matters
from precoro_daemon.status.snapshot import Snapshot
from precoro_daemon.values.humanize import span

Seen = TypeVar("Seen")

Draw = Callable[[Seen, int], RenderableType]
"""Draws a screen that is so many lines high."""

MATTERS_SHOWN = 3
"""The most matters shown that need a person. `status` shows all."""

_LINES_BESIDE_JOBS = 7
"""The lines of the screen besides the jobs and the sentences: those above the table, its title, the line below it,
and
the prompt.
"""

_FAR_AWAY_S = 366 * 86_400.0
"""A turn that is further away is not shown, because the job runs only when it is woken."""


class ServiceScreen(Generic[Seen]):
    """A screen that is shown from the first `show` to `close`. Log lines appear above it."""

    def __init__(self, console: Console, lost: Callable[[], None], draw: Draw[Seen]) -> None:
        """Takes the console and the callbacks.

        lost  called when the terminal can no longer be written
        """
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._lost = lost
        self._draw = draw

    def show(self, seen: Seen) -> None:
        try:
            if not self._live.is_started:
                self._live.start()
            self._live.update(self._draw(seen, self._live.console.height), refresh=True)
        except OSError:
            self._lost()

    def close(self) -> None:
        with suppress(OSError):
            self._live.stop()


def service(snapshot: Snapshot, height: int) -> RenderableType:
    """Returns the screen of a service. If there is no room for all jobs, it omits idle ones first."""
    lines = list(_lines(snapshot))
    return Group(as_line(), _jobs(snapshot, max(height - len(lines) - _LINES_BESIDE_JOBS, 1)), *lines)


def _jobs(snapshot: Snapshot, room: int) -> Sheet:
    table = Sheet(("job", "now", "last turn", "brought", "next turn"), right=("brought",))
    jobs = snapshot.pulse.jobs
    if len(jobs) > room:
        first = sorted(jobs, key=lambda job: (job.state is State.IDLE, job.next_at or inf))[:room]
        jobs = [job for job in jobs if job in first]
    for job in jobs:
        last = "" if job.ended_at is None else f"{span(snapshot.now - job.ended_at)} ago"
        brought = f"{job.lap.brought:,}" if job.lap is not None and job.lap.brought else ""
        table.add(job.name.replace("_", " "), _now(job, snapshot.now), last, brought, _next(job, snapshot.now))
    return table


def _now(job: JobStatus, now: float) -> str:
    match job.state:
        case State.RUNNING:
            return "running" if job.running_since is None else f"running for {span(now - job.running_since)}"
        case State.OUT_OF_QUOTA:
            return "waits for quota"
        case state:
            return str(state)


def _next(job: JobStatus, now: float) -> str:
    if job.next_at is None or job.next_at > now + _FAR_AWAY_S or job.state in (State.RUNNING, State.DRAINING):
        return ""
    return f"in {span(job.next_at - now)}" if job.next_at > now else "now"


def _lines(snapshot: Snapshot) -> Iterator[Text]:
    left = [f"{calls:,} this {window}" for window, calls in snapshot.quota.left.items() if window in ("hour", "day")]
    up = f"Up for {span(snapshot.live.up)}"
    yield as_line(f"{up}; calls left: {', '.join(left)}." if left else f"{up}.", style="bold")
    if snapshot.to_go:
        yield as_line(snapshot.to_go)
    found = matters(snapshot)
    for matter in found[:MATTERS_SHOWN]:
        urgent = matter.weight == "urgent"
        yield headline(matter.title, urgent=urgent)
        for command in matter.commands:
            yield as_line(f"    $ {command}", style="cyan", whole=True)
    if (more := len(found) - MATTERS_SHOWN) > 0:
        yield as_line(f"and {more} more: {snapshot.command} status", style="yellow")
    yield how_to_end(stopping=snapshot.pulse.stopping)


def headline(text: str, *, urgent: bool) -> Text:
    return as_line(f"{'▲' if urgent else '●'} {text}", style="bold red" if urgent else "bold yellow")


def how_to_end(*, stopping: bool) -> Text:
    return as_line("Ending: the calls in flight are finished." if stopping else "Ctrl-C ends it.", style="dim")
