"""what a person reads after a run: what failed, what is left, when it goes on"""

from __future__ import annotations

from rich.text import Text

from precoro_daemon.cli.console import as_line
from precoro_daemon.runtime.job import RunReport

_FAILURES_LISTED = 10


def closing_words(report: RunReport, calls_left: int) -> Text:
    """`calls_left`: those that are known to be due and were not made."""
    words = as_line()
    for failure in report.failed[:_FAILURES_LISTED]:
        words.append_text(as_line(f"failed: {failure}\n", style="yellow"))
    if len(report.failed) > _FAILURES_LISTED:
        words.append(
            f"and {len(report.failed) - _FAILURES_LISTED} more; `precoro-daemon status` shows them\n", style="yellow"
        )
    if report.spent is not None:
        words.append_text(as_line(f"{report.spent}\n", style="bold yellow"))
    left = max(calls_left, report.due)
    if left and (report.spent or report.stopped):
        words.append(f"{left:,} calls are left to make\n")
    if report.stopped:
        cause = "interrupted" if report.stopped == "signal" else "the time given is over"
        words.append(f"{cause}; the next run goes on where this one stopped\n", style="bold yellow")
    for matter in report.remains:
        words.append_text(as_line(f"{matter}\n", style="yellow"))
    if not (report.failed or report.remains or report.spent or report.stopped):
        words.append("The mirror is complete and up to date.", style="bold green")
    return words
