"""the summary of a run: what is new, what failed, what is left, what to type next; also as JSON"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from rich.console import Group, RenderableType
from rich.text import Text

from precoro_daemon.cli.console import as_line
from precoro_daemon.cli.run_record import CollectionRecord, RunRecord
from precoro_daemon.cli.tables import count, sheet
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.runtime.job import RunReport
from precoro_daemon.values.humanize import amount, many, span
from precoro_daemon.values.money import plain, sums

_FAILURES_SAID = 5

_DONE = {
    (Direction.TO_PRECORO, State.CONFIRMED): "recorded in Precoro",
    (Direction.TO_LEDGER, State.CONFIRMED): "recorded in the ledger",
    (Direction.TO_PRECORO, State.REJECTED): "not made in Precoro: refused or taken back",
    (Direction.TO_LEDGER, State.REJECTED): "not made in the ledger: refused or taken back",
}
_STANDING = {
    State.PLANNED: ("waits to be sent", "wait to be sent"),
    State.SENDING: ("is in doubt", "are in doubt"),
    State.DOUBT: ("is in doubt", "are in doubt"),
    State.REVIEW: ("needs your decision", "need your decision"),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """A run that has ended.

    state    where the database is
    command  how people call this program
    """

    record: RunRecord
    report: RunReport
    state: str
    command: str = "precoro-daemon"

    @property
    def went_well(self) -> bool:
        report = self.report
        return not (report.failed or report.remains or report.spent or report.stopped)

    @property
    def needs_a_person(self) -> bool:
        waiting, closed = self.record.payments.waiting, self.record.payments.closed
        return any(one.state is State.REVIEW or (closed and one.state is State.PLANNED) for one in waiting)


def summary(ending: Ending, *, whole: bool = False) -> RenderableType:
    """Returns the summary of a run in a few lines.

    whole  whether to list collections without news too
    """
    return Group(
        as_line(), *_collections(ending, whole), *map(_fact, _facts(ending)), as_line(), closing_words(ending)
    )


def _collections(ending: Ending, whole: bool) -> Iterator[RenderableType]:
    """Yields a table of the collections with news, and the number of the others."""
    rows = dict(ending.record.collections)
    news = {name: row for name, row in rows.items() if whole or row.has_news}
    if news:
        titles = ("listed", "new", "changed", "details", "failed", "unreadable")
        table = sheet("collection", *titles, sparse=() if whole else titles)
        for name, row in news.items():
            listed = f"{row.rows:,}" if whole else ""
            numbers = (row.created, row.updated, row.all_details, row.failed, row.rejected)
            table.add(name.replace("_", " "), listed, *map(count, numbers))
        yield table
    if quiet := len(rows) - len(news):
        others = "other collection" if news else "collection"
        yield as_line(f"{many(quiet, others)} without news.")


def _fact(fact: tuple[str, str]) -> Text:
    title, words = fact
    return as_line(f"{title:<9} {words}")


def _facts(ending: Ending) -> Iterator[tuple[str, str]]:
    record = ending.record
    if said := ", ".join(_payments(record.payments.moved, record.payments.waiting)):
        yield "Payments", said
    if (fetched := record.fetched).files:
        yield "Files", f"{fetched.files:,} fetched ({amount(fetched.bytes)})"
    left = ", ".join(
        f"{record.left[window]:,} left this {window}" for window in ("hour", "day") if window in record.left
    )
    yield "Calls", f"{record.calls:,} in {span(time.monotonic() - record.began)}" + (f"; {left}" if left else "")
    yield "Database", ending.state


def _payments(moved: Sequence[Intent], waiting: Sequence[Intent]) -> Iterator[str]:
    """Yields what was done in this run, then everything that is still open."""
    for (direction, state), words in _DONE.items():
        if done := [one for one in moved if (one.direction, one.state) == (direction, state)]:
            yield f"{len(done):,} {words} ({sums((one.currency, one.amount) for one in done)})"
    for state, (one_does, several_do) in _STANDING.items():
        if found := [one for one in waiting if one.state is state]:
            yield f"{len(found):,} {one_does if len(found) == 1 else several_do}"


def closing_words(ending: Ending) -> Text:
    """Returns what failed, what is left, when it continues, and what to type."""
    report, words = ending.report, as_line()
    for failure in report.failed[:_FAILURES_SAID]:
        words.append_text(as_line(f"failed: {failure}\n", style="red"))
    if (more := len(report.failed) - _FAILURES_SAID) > 0:
        words.append(f"and {more} more; `{ending.command} status` shows them\n", style="red")
    if report.spent is not None:
        words.append_text(as_line(f"{report.spent}\n", style="bold yellow"))
    left = max(ending.record.calls_left, report.due)
    if left and (report.spent or report.stopped):
        words.append(f"{left:,} calls are left to make\n")
    if report.stopped:
        cause = "interrupted" if report.stopped == "signal" else "the time given is over"
        words.append(f"{cause}; the next run goes on where this one stopped\n", style="bold yellow")
    for matter in report.remains:
        words.append_text(as_line(f"{matter}\n", style="yellow"))
    words.append_text(_about_payments(ending))
    if ending.went_well:
        words.append("The mirror is complete and up to date.", style="bold green")
    return words


def _about_payments(ending: Ending) -> Text:
    words, found = as_line(), ending.record.payments
    if found.closed and any(one.state is State.PLANNED for one in found.waiting):
        words.append_text(as_line(f"Payments are held back: {found.closed}.\n", style="yellow"))
    if any(one.state is State.REVIEW for one in found.waiting):
        words.append_text(as_line("Payments need your decision:\n", style="bold yellow"))
        words.append_text(as_line(f"    $ {ending.command} payments review\n", style="cyan", whole=True))
    return words


def as_json(ending: Ending, exit_code: int) -> str:
    record, report = ending.record, ending.report
    document = {
        "exit_code": exit_code,
        "state": ending.state,
        "seconds": round(time.monotonic() - record.began, 1),
        "calls": record.calls,
        "quota": record.left,
        "collections": {name: _collection(row) for name, row in record.collections.items()},
        "files": {"fetched": record.fetched.files, "bytes": record.fetched.bytes},
        "payments": {
            "moved": list(map(_intent, record.payments.moved)),
            "waiting": list(map(_intent, record.payments.waiting)),
            "closed": record.payments.closed or None,
        },
        "failed": report.failed,
        "remains": list(report.remains),
        "due": report.due,
        "stopped": report.stopped,
        "resume_at": report.spent and report.spent.resume_at,
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _collection(row: CollectionRecord) -> Mapping[str, int | bool]:
    return {
        "listed": row.rows,
        "whole": row.listed,
        "new": row.created,
        "changed": row.updated,
        "details": row.all_details,
        "failed": row.failed,
        "unreadable": row.rejected,
    }


def _intent(intent: Intent) -> Mapping[str, Any]:
    return {
        "id": intent.id,
        "direction": str(intent.direction),
        "state": str(intent.state),
        "invoice_id": intent.invoice_id,
        "amount": plain(intent.amount),
        "currency": intent.currency,
    }
