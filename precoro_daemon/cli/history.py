"""history: shows what runs and laps changed and what failed in them, by day or one by one"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from precoro_daemon.cli.output import wants_json
from precoro_daemon.cli.running import NO_CALL, config_option, echo_data, load, make_console, run_async

if TYPE_CHECKING:
    from rich.console import RenderableType

    from precoro_daemon.runtime.ports import PastLap

_FAILURES_SHOWN = 10


@click.command()
@click.option("--days", type=click.IntRange(1, 90), default=14, show_default=True, help="How far back.")
@click.option("--laps", is_flag=True, help="Each lap and run that did something, the newest first.")
@config_option
@click.pass_obj
def history(parent: Path | None, config: Path | None, days: int, laps: bool) -> None:
    """Show what runs brought and what failed, day by day (UTC). It is kept for 90 days."""
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.state_reading import read_history

    now, found = run_async(lambda: read_history(settings, days))
    if wants_json():
        import orjson

        echo_data(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    console = make_console()
    if not found:
        console.print(_line(f"Nothing was brought, and nothing failed, in {days} days."))
    elif laps:
        console.print(_laps(found))
    else:
        console.print(_days(found, now, days))
        _print_failures(found)


def _line(text: str) -> RenderableType:
    from precoro_daemon.cli.console import as_line

    return as_line(text)


def _days(found: Sequence[PastLap], now: float, days: int) -> RenderableType:
    from precoro_daemon.cli.sheets import Sheet
    from precoro_daemon.status.history import by_day
    from precoro_daemon.values.humanize import day

    numbers = ("laps and runs", "brought", "failed")
    sheet = Sheet(("day", *numbers), right=numbers)
    for one in reversed(by_day(found, (), now, days)):
        if one.laps:
            sheet.add(day(one.begins), f"{one.laps:,}", f"{one.brought:,}", f"{one.failed:,}")
    return sheet


def _laps(found: Sequence[PastLap]) -> RenderableType:
    from precoro_daemon.cli.sheets import Sheet
    from precoro_daemon.values.humanize import moment, span

    titles = ("ended", "what", "took", "brought", "failed", "why")
    sheet = Sheet(titles, right=("took", "brought", "failed"), sentences="why", sparse=("why",))
    for lap in reversed(found):
        numbers = (span(lap.seconds), f"{lap.brought:,}", f"{lap.failed:,}")
        sheet.add(moment(lap.ended_at), lap.job or "run (--once)", *numbers, lap.reason)
    return sheet


def _print_failures(found: Sequence[PastLap]) -> None:
    """Prints the latest failures, newest first, and each reason once."""
    from precoro_daemon.values.humanize import moment

    console = make_console()
    latest = {lap.reason: lap for lap in found if lap.reason}
    newest = sorted(latest.values(), key=lambda lap: lap.ended_at, reverse=True)
    for lap in newest[:_FAILURES_SHOWN]:
        console.print(_line(f"{moment(lap.ended_at)}  {lap.job or 'run'}: {lap.reason}"))
    if (more := len(newest) - _FAILURES_SHOWN) > 0:
        console.print(_line(f"and {more:,} other failures: precoro-daemon history --laps"))
