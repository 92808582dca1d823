"""What a person sees: live progress, summary, closing words."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from precoro_daemon.cli.run_record import RunRecord
from precoro_daemon.cli.run_summary import Ending, as_json, closing_words, summary
from precoro_daemon.cli.screen import LiveScreen, above
from precoro_daemon.errors import BudgetSpent
from precoro_daemon.files.ports.attachment_book import FileCounts
from precoro_daemon.mirror.ports.mirror import Committed
from precoro_daemon.mirror.rules.cursors import Cursor, Scan
from precoro_daemon.payments.ports.progress import PaymentsAfterRun
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.sources import LedgerSource
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.job import RunReport
from precoro_daemon.values.humanize import amount, moment, span


@dataclass
class StillClock:
    """Time that stands."""

    at: float = 1_000.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a screen never sleeps")


@pytest.fixture
def screen() -> LiveScreen:
    return LiveScreen(Console(file=io.StringIO(), width=120), StillClock())


def text(shown: RenderableType) -> str:
    console = Console(record=True, file=io.StringIO(), width=120)
    console.print(shown)
    return console.export_text()


def told(screen: RunRecord, report: RunReport | None = None, *, whole: bool = False) -> str:
    """What is said after a run."""
    return text(summary(Ending(screen, report or RunReport(), "/data/precoro.db", "precoro-daemon"), whole=whole))


def now_on(screen: LiveScreen) -> str:
    return text(screen.live().get_renderable())


def line(shown: str, title: str) -> list[str]:
    (found,) = [one.split() for one in shown.splitlines() if title in one]
    return found[len(title.split()) :]


def advance(screen: LiveScreen, name: str, scan: Scan, **counts: int) -> None:
    screen.scan_advanced(name, scan, Committed(scan, Cursor(name), **counts))


UNDER_WAY = Scan("purchase_orders", "whole", next_page=3, total=1_000, rows=399, rejected=1, distinct=399)
OVER = Scan("invoices", "whole", next_page=2, total=3, last_page=1, rows=3, distinct=3)


def test_a_list_under_way_shows_how_far_it_got(screen: LiveScreen) -> None:
    advance(screen, "purchase_orders", UNDER_WAY)
    assert line(now_on(screen), "purchase orders")[-3:] == ["399", "of", "1,000"]
    assert screen.calls_left == 3


def test_a_list_without_a_count_shows_its_rows(screen: LiveScreen) -> None:
    advance(screen, "suppliers", Scan("suppliers", "whole", next_page=2, rows=200))
    assert line(now_on(screen), "suppliers")[-1] == "200"


def test_a_finished_list_is_ticked_off(screen: LiveScreen) -> None:
    advance(screen, "invoices", OVER)
    assert line(now_on(screen), "invoices") == ["✓", "3"]
    assert screen.calls_left == 0


def test_details_are_counted_towards_what_is_due(screen: LiveScreen) -> None:
    advance(screen, "invoices", OVER)
    screen.details_advanced("invoices", 1, 1, 3)
    assert line(now_on(screen), "invoices")[-5:] == ["1", "of", "3", "(1", "failed)"]
    assert screen.calls_left == 1
    screen.details_advanced("invoices", 2, 1, 3)
    assert line(now_on(screen), "invoices")[-4:] == ["✓", "2", "(1", "failed)"]
    assert screen.calls_left == 0


def test_the_footer_tells_calls_and_quota(screen: LiveScreen) -> None:
    for left in (1_499, 1_498):
        screen.called(Lane.LISTS, {"minute": 58, "hour": left, "day": 2_998})
    shown = now_on(screen)
    assert "2 calls · " in shown
    assert "1,498 left this hour · 2,998 left this day" in shown


def test_a_wait_is_told_as_long_as_it_lasts(screen: LiveScreen) -> None:
    screen.waiting(Lane.DETAILS, "hour", 1_600.0)
    assert "waiting for the hour window for details: 10 min" in now_on(screen)
    screen.clock = StillClock(1_600.0)
    assert "waiting" not in now_on(screen)


def test_files_have_a_line_with_count_bytes_rate_and_time_to_go(screen: LiveScreen) -> None:
    assert "files" not in now_on(screen)
    screen.files_advanced(FileCounts(0, 0), 0, FileCounts(200, 10**9))
    assert "files  0 of 200 · 0 B" in now_on(screen)
    screen.files = replace(screen.files, began=screen.files.began - 10)  # type: ignore[type-var, union-attr]
    screen.files_advanced(FileCounts(50, 250_000_000), 1, FileCounts(200, 10**9))
    shown = now_on(screen)
    # The line is shown a moment later, in which nothing comes.
    assert re.search(r"files  50 of 200 · 250 MB · 1 failed · 2[45]\.\d MB a second · about 3[01] s to go", shown)
    assert screen.calls_left == 149


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 KB"), (99_400, "99.4 KB"), (99_900, "100 KB"), (999_400, "999 KB"),
     (999_600, "1.0 MB"), (3.4e9, "3.4 GB"), (5e12, "5.0 TB"), (5e15, "5000 TB")],
)  # fmt: skip
def test_a_number_of_bytes_as_a_person_says_it(number: float, said: str) -> None:
    assert amount(number) == said


def test_the_summary_lists_collections_with_news_and_counts_the_others(screen: LiveScreen) -> None:
    advance(screen, "invoices", OVER)
    advance(screen, "purchase_orders", UNDER_WAY, created=1_200, updated=2, rejected=1)
    advance(screen, "purchase_orders", UNDER_WAY, created=34)
    screen.details_advanced("purchase_orders", 7, 5, 12)
    assert line(told(screen), "purchase orders") == ["1,234", "2", "7", "5", "1"]
    assert "1 other collection without news." in told(screen)
    assert "invoices" not in told(screen)
    assert line(told(screen, whole=True), "purchase orders") == ["399", "1,234", "2", "7", "5", "1"]
    assert line(told(screen, whole=True), "invoices") == ["3"]
    assert "without news" not in told(screen, whole=True)


def test_a_run_without_news_is_told_in_a_few_lines(screen: LiveScreen) -> None:
    advance(screen, "invoices", OVER)
    advance(screen, "taxes", replace(OVER, collection="taxes"))
    screen.called(Lane.LISTS, {"hour": 1_159, "day": 2_659})
    assert [one.strip() for one in told(screen).splitlines() if one] == [
        "2 collections without news.",
        "Calls     1 in 0 s; 1,159 left this hour, 2,659 left this day",
        "Database  /data/precoro.db",
        "The mirror is complete and up to date.",
    ]


def test_what_several_laps_fetched_is_summed_up(screen: LiveScreen) -> None:
    for laps in ((1, 2, 3), (1, 2)):
        for done in laps:
            screen.details_advanced("invoices", done, 0, len(laps))
            screen.files_advanced(FileCounts(done, 100 * done), 0, FileCounts(len(laps), 1_000))
    assert line(told(screen), "invoices") == ["5"]
    assert line(told(screen), "Files") == ["5", "fetched", "(500", "B)"]


PAID = Intent(
    "a" * 32, Direction.TO_PRECORO, "books", LedgerSource("1"), Decimal("50.90"), "USD", date(2026, 1, 15),
    invoice_idn=4, state=State.CONFIRMED,
)  # fmt: skip
WAITS = replace(PAID, id="b" * 32, state=State.REVIEW)


def test_payments_are_told_with_their_sums_and_with_what_to_type(screen: LiveScreen) -> None:
    others = [replace(PAID, amount=Decimal("9.10")), replace(PAID, amount=Decimal(3), currency="EUR")]
    screen.payments_ended(PaymentsAfterRun([PAID, *others], [WAITS, replace(PAID, state=State.DOUBT)]))
    shown = told(screen)
    assert "Payments  3 recorded in Precoro (3.00 EUR, 60.00 USD), 1 is in doubt, 1 needs your decision" in shown
    assert "Payments need your decision:" in shown
    assert "$ precoro-daemon payments review" in shown


def test_payments_that_may_not_be_sent_are_said_to_be_held_back(screen: LiveScreen) -> None:
    planned = replace(PAID, state=State.PLANNED)
    screen.payments_ended(PaymentsAfterRun(waiting=[planned, planned], closed="Payments are disarmed"))
    assert "2 wait to be sent" in told(screen)
    assert "Payments are held back: Payments are disarmed." in told(screen)
    screen.payments_ended(PaymentsAfterRun(waiting=[planned]))
    assert "held back" not in told(screen)


def test_the_same_as_json(screen: LiveScreen) -> None:
    advance(screen, "invoices", OVER, created=3)
    screen.called(Lane.LISTS, {"hour": 1_159})
    screen.payments_ended(PaymentsAfterRun([PAID], [WAITS]))
    report = RunReport(brought=3, failed=["taxes: 404"], spent=SPENT)
    found = json.loads(as_json(Ending(screen, report, "/data/precoro.db"), 3))
    assert found["collections"]["invoices"] == {
        "listed": 3, "whole": True, "new": 3, "changed": 0, "details": 0, "failed": 0, "unreadable": 0,
    }  # fmt: skip
    assert [one["amount"] for one in found["payments"]["moved"]] == ["50.90"]
    assert [one["state"] for one in found["payments"]["waiting"]] == ["review"]
    assert (found["failed"], found["resume_at"], found["exit_code"]) == (["taxes: 404"], 1.0, 3)
    assert (found["calls"], found["quota"], found["state"]) == (1, {"hour": 1_159}, "/data/precoro.db")


def test_on_a_low_screen_lists_that_are_done_are_counted(screen: LiveScreen) -> None:
    screen.console = Console(file=io.StringIO(), width=80, height=12)
    for number in range(20):
        advance(screen, f"list_{number}", OVER)
    advance(screen, "purchase_orders", UNDER_WAY)
    shown = now_on(screen)
    assert "purchase orders" in shown
    assert "20 other lists done" in shown
    assert len(shown.splitlines()) < 12


def test_log_lines_appear_as_they_are() -> None:
    stream = io.StringIO()
    written = "[bold]not markup[/] " + "x" * 200 + "\n"
    out = above(Console(file=stream, width=40))
    assert out.write(written) == len(written)
    assert stream.getvalue() == written
    assert not out.isatty()


SPENT = BudgetSpent("the day's quota for lists is spent; the next call may go at noon", resume_at=1.0)


def closing(report: RunReport, calls_left: int = 0) -> str:
    record = RunRecord()
    record.details_advanced("invoices", 0, 0, calls_left)
    return text(closing_words(Ending(record, report, "")))


def test_closing_words_of_a_good_run() -> None:
    assert closing(RunReport(brought=3)).strip() == "The mirror is complete and up to date."


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (RunReport(failed=["taxes: 404"]), "failed: taxes: 404"),
        (RunReport(spent=SPENT), "the next call may go at noon"),
        (RunReport(spent=SPENT), "1,200 calls are left to make"),
        (RunReport(stopped="signal"), "interrupted; the next run goes on where this one stopped"),
        (RunReport(stopped="time"), "the time given is over; the next run goes on where this one stopped"),
    ],
)
def test_closing_words_tell_what_is_left(report: RunReport, words: str) -> None:
    told = closing(report, 1_200)
    assert words in told
    assert "complete" not in told


def test_many_failures_are_cut_short() -> None:
    told = closing(RunReport(failed=[f"invoices {number}: 500" for number in range(25)]))
    assert told.count("failed: ") == 5
    assert "and 20 more; `precoro-daemon status` shows them" in told


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (40, "40 s"),
        (99, "99 s"),
        (100, "2 min"),
        (720, "12 min"),
        (5_940, "99 min"),
        (6_000, "1 h 40 min"),
        (12_000, "3 h 20 min"),
        (7_200, "2 h"),
        (129_600, "1 day 12 h"),
        (172_800, "2 days"),
        (187_200, "2 days 4 h"),
    ],
)
def test_a_length_of_time_as_a_person_says_it(seconds: float, said: str) -> None:
    assert span(seconds) == said


UNITS = {"s": 1, "min": 60, "h": 3_600, "day": 86_400, "days": 86_400}


@given(st.floats(0, 1e7))
@example(190.0)
@example(36 * 3_600 - 1.0)
@example(37 * 3_600 - 1.0)
def test_what_is_said_is_near_the_truth(seconds: float) -> None:
    words = span(seconds).split()
    told = sum(int(number) * UNITS[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    rounded = 0.5 if seconds < 100 else 30 if seconds < 36 * 3_600 else 3_630
    assert abs(told - seconds) <= rounded, "to the second, to the minute, to the hour"


def test_a_point_in_time() -> None:
    assert moment(None) == "never"
    assert moment(1_765_875_649.0) == "2025-12-16 09:00 UTC"
