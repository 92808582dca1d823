"""Nothing that suppliers, books or servers wrote acts on a terminal, whatever shows it."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click
import pytest
import structlog
from click.testing import CliRunner
from msgspec import structs
from rich.console import RenderableType

from precoro_daemon.catalogue.plan_items import Outline
from precoro_daemon.catalogue.ports.plans import PlanState
from precoro_daemon.catalogue.rules.plan import Change, Kind, Plan, Step
from precoro_daemon.catalogue.rules.suppliers import Supplier
from precoro_daemon.cli import item_tables, payment_tables, status_json, status_tables, tables
from precoro_daemon.cli.console import SafeConsole
from precoro_daemon.cli.questions import Questions, listed
from precoro_daemon.cli.run_record import RunRecord
from precoro_daemon.cli.run_summary import Ending, summary
from precoro_daemon.cli.running import Commands, echo, show
from precoro_daemon.cli.screen import above
from precoro_daemon.errors import ConfigurationError, LedgerMisfit, Refused
from precoro_daemon.files.ports.attachment_book import AttachedFile, FileCounts
from precoro_daemon.files.verify_attachments import Verdict
from precoro_daemon.payments.forecast import Forecast, LapForecast
from precoro_daemon.payments.ports.journal import Line
from precoro_daemon.payments.ports.login_directory import Account
from precoro_daemon.payments.rules.sources import LedgerSource
from precoro_daemon.runtime.job import RunReport
from precoro_daemon.telemetry import get_logger, set_up
from tests.cli.test_payment_tables import HELD
from tests.cli.test_tables import STORED
from tests.status.snapshots import LARGE, NOW, troubled

CLI = Path(item_tables.__file__).parent

BAD = "A\x1b[2J\x1b]0;owned\x07\x9b1m\x00\r\n\tB\u202ec\u200bd\u2028e\ufeff\u3164f\U000e0041"
SHOWN = r"A\u001b[2J\u001b]0;owned\u0007\u009b1m\u0000\r\n\tB\u202ec\u200bd\u2028e\ufeff\u3164f\udb40\udc41"

_RAW = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u3164\U000e0000-\U000e007f]"
)


def printed(shown: RenderableType, width: int = 4_000) -> str:
    stream = io.StringIO()
    SafeConsole(file=stream, width=width).print(shown, crop=False)
    return stream.getvalue()


def harmless(text: str, *, times: int = 1) -> None:
    assert _RAW.findall(text) == []
    assert text.count(SHOWN) >= times, text


def test_plans_reviews_and_journals_of_payments() -> None:
    intent = replace(HELD, reason=BAD, source=LedgerSource(BAD), remote_id=BAD)
    found = LapForecast([Forecast(intent, "review", Decimal(1), BAD)], BAD, 0, ())
    for shown in (payment_tables.review(found), payment_tables.forecast_of_lap(found)):
        harmless(printed(shown), times=2)
        assert _RAW.findall(printed(shown, 40)) == []
    lines = [Line(1, 1.0, intent.id, "hold", "planned", "review", 0, BAD, {"books": BAD})]
    harmless(printed(payment_tables.trace(payment_tables.Trace(intent, lines, []))), times=3)


def test_what_is_printed_as_json_is_the_same_json() -> None:
    lines = [Line(1, 1.0, HELD.id, "hold", "planned", "review", 0, BAD, {"books": BAD})]
    given = payment_tables.trace_as_json(payment_tables.Trace(replace(HELD, reason=BAD), lines, []))
    harmless(spoken(lambda: echo(given)), times=3)
    assert _RAW.findall(spoken(lambda: echo(status_json.as_json(troubled())))) == []


def test_status() -> None:
    day = troubled()
    assert day.stored is not None
    large = AttachedFile(LARGE.collection, 7, 12, replace(LARGE.attachment, name=BAD))
    stored = structs.replace(
        day.stored,
        files=structs.replace(day.stored.files, too_large=[large]),
        quarantined=[replace(one, reason=BAD) for one in day.stored.quarantined],
        grant=replace(day.stored.grant, whose=BAD, lost=BAD) if day.stored.grant else None,
    )
    hostile = status_tables.status(structs.replace(day, stored=stored))
    harmless(printed(hostile), times=5)
    assert _RAW.findall(spoken(lambda: show(hostile))) == []


def test_plans_of_items() -> None:
    plan = PlanState(1, Supplier(12, BAD), BAD, 40, NOW, NOW, NOW, NOW, BAD, "", {})
    harmless(spoken(lambda: echo(item_tables.plan_line(plan))).replace("\n", r"\n"))
    steps = [Step(Kind.UPDATE, BAD, BAD, 2, [Change("name", BAD, BAD)]), Step(Kind.CREATE, BAD, BAD, 3, [])]
    harmless(printed(item_tables.outline(Outline(plan, Plan(steps, doubted=[BAD]), {}), everything=True)), times=4)


def test_verdicts_answers_and_last_words() -> None:
    verdict = Verdict(FileCounts(4, 1_500), missing=[STORED], orphans=[BAD])
    harmless(printed(tables.verdict(verdict)))
    harmless(printed(tables.answer(("name",), [(BAD,)])))
    harmless(printed(summary(Ending(RunRecord(), RunReport(failed=[BAD], remains=[BAD]), BAD, BAD))), times=3)


def test_errors_with_one_line_and_with_many() -> None:
    @click.group(cls=Commands)
    def program() -> None: ...

    @program.command()
    @click.argument("kind")
    def fail(kind: str) -> None:
        raise {"one": Refused, "many": LedgerMisfit, "mistakes": ConfigurationError, "usage": click.UsageError}[kind](
            f"{BAD} is wrong"
        )

    for kind in ("one", "many", "mistakes", "usage"):
        done = CliRunner().invoke(program, ["fail", kind])
        harmless(done.output if kind == "one" else done.output.replace("\n", r"\n"))


def test_questions() -> None:
    harmless(listed([Account(BAD, BAD, "EUR")]), times=2)

    @click.command()
    def ask() -> None:
        Questions({}).line(BAD)

    harmless(CliRunner().invoke(ask, input="x\n").output)


@pytest.fixture
def _log_as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("_log_as_before")
@pytest.mark.parametrize("form", ["console", "json"])
def test_log_lines(form: str) -> None:
    stream = io.StringIO()
    set_up("info", form, secrets=(), stream=stream)  # type: ignore[arg-type]
    get_logger().warning("record_rejected", reason=BAD, key=BAD, rows=[BAD], facts={"k": BAD})
    get_logger().error("run_failed", exc_info=Refused(BAD))
    harmless(stream.getvalue(), times=2)


@pytest.mark.usefixtures("_log_as_before")
def test_log_lines_above_a_live_screen() -> None:
    stream = io.StringIO()
    console = SafeConsole(file=stream, width=4_000)
    for columns in (None, lambda: 4_000, lambda: 20):
        set_up("info", "console", secrets=(), stream=above(console), columns=columns)
        get_logger().warning("record_rejected", reason=BAD)
    harmless(stream.getvalue(), times=3)


def test_all_that_is_printed_goes_through_the_two_places() -> None:
    """`echo` of running.py and the console of console.py; the sandbox and the manual show texts of ours."""
    own = {"running.py", "console.py", "lines.py", "help.py", "rehearsals.py"}
    for path in CLI.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if path.name not in own:
                assert called not in ("click.echo", "click.secho", "print", "Text", "Console"), (
                    f"{path.name}: {called}"
                )


def spoken(say: Callable[[], None]) -> str:
    return CliRunner().invoke(click.Command("say", callback=say)).output
