"""--once: one run, and its report for people or programs"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import click

from precoro_daemon.cli.output import is_quiet, is_verbose, wants_json
from precoro_daemon.cli.running import echo, echo_data, exit_code, make_console, run_async

if TYPE_CHECKING:
    from precoro_daemon.cli.run_record import RunRecord
    from precoro_daemon.runtime.job import RunReport
    from precoro_daemon.runtime.ports import Clock
    from precoro_daemon.settings import Settings


def run_once(settings: Settings, only: str | None, time_limit: float | None, command: str, *, whole: bool) -> int:
    """Runs once and returns the exit code. Raises UsageError for a job that cannot run.

    whole  whether the summary lists collections without news too
    """
    _refuse_unfit(settings, only)
    from precoro_daemon.app.runs import Wish, run
    from precoro_daemon.app.values import clock_for

    clock = clock_for(settings)
    if not (sys.stdout.isatty() or wants_json()):
        _log_lines(settings)
        return exit_code(run_async(lambda: run(settings, clock, Wish(only, time_limit, command=command))))

    def work(record: RunRecord) -> RunReport:
        return run_async(lambda: run(settings, clock, Wish(only, time_limit, record, command)))

    record, report = _watched(settings, clock, work)
    _tell(settings, record, report, command, whole=whole or is_verbose())
    return exit_code(report)


def _log_lines(settings: Settings) -> None:
    from precoro_daemon import telemetry
    from precoro_daemon.app.values import secrets

    level = "warning" if is_quiet() else "debug" if is_verbose() else settings.log.level
    telemetry.set_up(level, settings.log.format, secrets=secrets(settings), stream=sys.stdout)


def _watched(settings: Settings, clock: Clock, work: Callable[[RunRecord], RunReport]) -> tuple[RunRecord, RunReport]:
    """Runs `work` with a live screen and the log's warnings above it.

    With --quiet or --json there is no screen, and warnings go to the standard error.
    """
    from precoro_daemon import telemetry
    from precoro_daemon.app.values import secrets
    from precoro_daemon.cli.run_record import RunRecord
    from precoro_daemon.cli.screen import LiveScreen, above, width_of

    level: Literal["info", "warning"] = "info" if is_verbose() else "warning"
    if is_quiet() or wants_json():
        telemetry.set_up("warning", settings.log.format, secrets=secrets(settings), stream=sys.stderr)
        return (record := RunRecord()), work(record)
    console = make_console()
    screen = LiveScreen(console, clock)
    telemetry.set_up(level, "console", secrets=secrets(settings), stream=above(console), columns=width_of(console))
    with screen.live():
        return screen, work(screen)


def _tell(settings: Settings, record: RunRecord, report: RunReport, command: str, *, whole: bool) -> None:
    from precoro_daemon.app.state import database
    from precoro_daemon.cli.run_summary import Ending, as_json, closing_words, summary

    ending = Ending(record, report, database(settings), command)
    if wants_json():
        echo_data(as_json(ending, exit_code(report)))
    elif is_quiet():
        if not ending.went_well or ending.needs_a_person:
            echo(closing_words(ending).plain.rstrip(), err=True)
    else:
        make_console().print(summary(ending, whole=whole))


def _refuse_unfit(settings: Settings, only: str | None) -> None:
    """Raises UsageError for a job that does not exist or that this configuration does not use."""
    from precoro_daemon.app.jobs import DELIVERY_JOBS, EXPORT_JOBS, FILE_JOBS, ITEM_JOBS, JOB_NAMES, PAYMENT_JOBS

    if only is not None and only not in JOB_NAMES:
        raise click.UsageError(f"--only {only}: there is no such job; there are {', '.join(JOB_NAMES)}")
    if only in FILE_JOBS and settings.fetch_attachments.directory is None:
        raise click.UsageError(f"--only {only}: [fetch_attachments] has no directory to keep files in")
    if only in ITEM_JOBS and settings.manage_items.kind == "none":
        raise click.UsageError(f"--only {only}: [manage_items] does not say where wanted items are")
    if only in DELIVERY_JOBS and settings.apply_deliveries.listen is None:
        raise click.UsageError(f"--only {only}: [apply_deliveries] does not listen anywhere")
    if only in EXPORT_JOBS and not settings.exports:
        raise click.UsageError(f"--only {only}: there is no [exports.NAME] in the configuration")
    if only in PAYMENT_JOBS and not getattr(settings, only).enabled:
        raise click.UsageError(f"--only {only}: it is not enabled in the configuration")
