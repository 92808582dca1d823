"""Arguments → settings → run → exit code, as a user meets them."""

from __future__ import annotations

import json
import logging
import re
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import get_args

import anyio.from_thread
import click
import pytest
import structlog
from click.testing import CliRunner, Result

from precoro_daemon import __version__
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.adapters.state.sqlite.views import view_definitions
from precoro_daemon.app.jobs import JOB_NAMES
from precoro_daemon.cli import main
from precoro_daemon.cli.program import ENTRIES
from precoro_daemon.cli.rehearsals import sandbox
from precoro_daemon.cli.running import EXIT_CODES, exit_code
from precoro_daemon.errors import BudgetSpent, DaemonError
from precoro_daemon.runtime.job import RunReport
from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from precoro_daemon.sandbox.fault_kinds import KINDS
from precoro_daemon.sandbox.files import Attachment
from precoro_daemon.sandbox.options import Meta, Order, Size
from precoro_daemon.telemetry import EVENTS

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "precoro_daemon" / "docs"
SPENT = BudgetSpent("the day's quota for lists is spent", resume_at=1.0)
COUNTS = {"invoices": 4, "suppliers": 3, "taxes": 2, "items": 0}

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """A run takes over structlog and the root logger, which belong to the process."""
    root = logging.getLogger()
    before, handlers, level = structlog.get_config(), list(root.handlers), root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command line, in a directory of its own."""

    def invoke(*arguments: str, **variables: str) -> Result:
        absent = dict.fromkeys(("PRECORO_TOKEN", "PRECORO_EMAIL", "CREDENTIALS_DIRECTORY"))
        with pytest.MonkeyPatch.context() as elsewhere:
            elsewhere.chdir(tmp_path)
            return CliRunner().invoke(main, arguments, env=absent | variables)

    return invoke


@pytest.fixture
def portal() -> Iterator[anyio.from_thread.BlockingPortal]:
    with anyio.from_thread.start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def company(portal: anyio.from_thread.BlockingPortal, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox on another thread, and a config.toml for it."""
    options = SandboxOptions(size="empty", counts=COUNTS, time_scale=50.0)
    with portal.wrap_async_context_manager(serve(options)) as sandbox:
        configure(tmp_path, sandbox.url, sandbox.token, sandbox.email)
        yield sandbox


def configure(where: Path, url: str, token: str, email: str, more: str = "") -> None:
    (where / "token").touch(mode=0o600)
    (where / "token").write_text(token)
    (where / "config.toml").write_text(
        f'[precoro]\nbase_url = "{url}"\nemail = "{email}"\ntoken_file = "token"\n'
        '[mirror_collections]\ncollections = ["invoices", "suppliers", "taxes", "items"]\n'
        f"[limits]\ntime_scale = 50\n{more}"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say what to do: --once"),
        (["--only", "take_census"], "say what to do: --once"),
        (["--once", "check"], "stand alone, without a command"),
        (["--for", "30m", "status"], "stand alone, without a command"),
        (["--once", "--for", "soon"], "'soon' is no length of time; write 90s, 30m, 2h or 1h30m"),
        (["--twice"], "No such option"),
        (["mirror"], "No such command 'mirror'"),
        (["chek"], "No such command 'chek'. Did you mean 'check'?"),
        (["sandbox", "--size", "huge"], "'huge' is not one of"),
        (["sandbox", "--order", "random"], "'random' is not one of"),
        (["sandbox", "--meta", "none"], "'none' is not one of"),
        (["man", "a" * 300], "a…: File name too long"),
    ],
)
def test_wrong_usage_is_explained(run: Run, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_unknown_job_is_answered_with_those_there_are(run: Run, company: Sandbox) -> None:
    result = run("--once", "--only", "mirror")
    assert result.exit_code == 2
    assert "there is no such job; there are " + ", ".join(JOB_NAMES) in " ".join(result.stderr.split())
    assert company.journal.total == 0


def test_help_names_every_command_and_exit_code(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in ENTRIES:
        assert re.search(rf"^  {command} +\w", result.stdout, re.MULTILINE)
        assert run(command, "-h").exit_code == 0
    told = result.stdout.split("Exit codes:")[1]
    assert {int(code) for code in re.findall(r"\d+", told)} == set(EXIT_CODES)


def test_the_first_screen_of_the_help_is_all_of_it(run: Run) -> None:
    lines = run("--help").stdout.splitlines()
    assert len(lines) < 40
    assert max(map(len, lines)) <= 80
    options = {name for param in main.params for name in param.opts}
    assert options <= set(re.findall(r"--?[a-z]+", "\n".join(lines))) | {"--version"}


def test_the_manual_tells_the_same_exit_codes() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+?) \|$", (MANUAL / "running.md").read_text("utf-8"), re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == EXIT_CODES


def test_files_are_checked_fetched_and_verified(run: Run, company: Sandbox, tmp_path: Path) -> None:
    for row in company.company["invoices"]:
        company.company.edit(row, _uploads=[Attachment(row.id * 10 + 9, "scan.pdf", b"%PDF", company.company.now())])
    assert "none is fetched" in run("check").stdout
    told = run("files", "verify")
    assert (told.exit_code, "has no directory" in told.stderr) == (2, True)
    told = run("--once", "--only", "fetch_attachments")
    assert (told.exit_code, "has no directory" in told.stderr) == (2, True)

    settings = (tmp_path / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(f'{settings}[fetch_attachments]\ndirectory = "files"\nreserve_bytes = 0\n')
    assert re.search(r"files +go to /.*/files, which has room for [\d,.]+ GB", run("check").stdout)
    assert run("--once").exit_code == 0
    told = run("files", "verify", "--json")
    assert told.exit_code == 0
    good = json.loads(told.stdout)["good"]["files"]
    assert good > 0
    kept = next((tmp_path / "files").rglob("*__*"))
    kept.unlink()
    told = run("files", "verify")
    assert told.exit_code == 3
    assert f"missing: {kept.relative_to(tmp_path / 'files')}" in told.stdout
    assert run("--once", "--only", "fetch_attachments").exit_code == 0
    assert kept.exists()
    assert f"{good} files are good" in run("files", "verify", "--share", "1").stdout


def test_check_has_facts_for_programs_of_each_part(run: Run, company: Sandbox, tmp_path: Path) -> None:
    with (tmp_path / "config.toml").open("a") as file:
        file.write('[fetch_attachments]\ndirectory = "files"\nreserve_bytes = 0\n')
    told = run("check", "--json")
    assert (told.exit_code, told.stderr) == (0, "")
    found = json.loads(told.stdout)
    assert found["said"][0].startswith("configuration  can be read")
    parts = found["checks"]
    assert list(parts) == ["paths", "schedule", "state", "files", "ledger", "messages", "exports", "precoro"]
    assert all(part.pop("usable") for part in parts.values())
    assert {"key": "fetch_attachments.directory", "path": str(tmp_path / "files")} in parts["paths"]["paths"]
    assert parts["schedule"]["per_day"] == 3_000
    assert parts["state"] == {"place": str(tmp_path / "precoro.db"), "exists": False, "warnings": []}
    assert parts["files"].pop("room_bytes") > 0
    assert parts["files"] == {"directory": str(tmp_path / "files"), "disk": str(tmp_path / "files")}
    assert (parts["ledger"], parts["messages"]) == ({"name": None}, {"addresses": 0})
    assert parts["precoro"] == {"origin": company.url, "by_service": False}


def test_check_tells_programs_of_each_part_that_cannot_be_used(run: Run, company: Sandbox, tmp_path: Path) -> None:
    with (tmp_path / "config.toml").open("a") as file:
        file.write('[fetch_attachments]\ndirectory = "no/such/place"\n')
    told = run("check", "--json")
    found = json.loads(told.stdout)
    assert (told.exit_code, found["exit_code"]) == (4, 4)
    files = found["checks"]["files"]
    assert (files["usable"], files["exit_code"], files["error"]) == (False, 4, found["error"])
    assert found["checks"]["precoro"]["usable"], "the other parts were checked too"


def test_commands_for_the_state_have_facts_for_programs(run: Run, company: Sandbox, tmp_path: Path) -> None:
    state, backup, new = (tmp_path / name for name in ("precoro.db", "copy.db", "moved.db"))
    assert run("--once").exit_code == 0
    made = json.loads(run("state", "backup", "copy.db", "--json").stdout)
    assert (made["path"], made["bytes"], made["files_left_out"]) == (str(backup), backup.stat().st_size, None)
    assert made["said"][0].startswith(f"{backup}: ")
    restored = json.loads(run("state", "restore", "copy.db", "--json").stdout)
    former = Path(restored["former"])
    assert (restored["state"], restored["source"], former.exists()) == (str(state), str(backup), True)
    assert (restored["calls"], restored["payments"]) == (company.journal.total, "disarmed")
    moved = json.loads(run("state", "move", "--to", f"sqlite:///{new}", "--json").stdout)
    assert (moved["source"], moved["target"], moved["former"]) == (str(state), str(new), None)
    assert moved["settings"] == {"url": f"sqlite:///{new}"}
    assert moved["rows"]["records"] == sum(COUNTS.values())
    assert new.exists()


def test_a_directory_that_cannot_be_used_is_said_by_check(run: Run, company: Sandbox, tmp_path: Path) -> None:
    with (tmp_path / "config.toml").open("a") as file:
        file.write('[fetch_attachments]\ndirectory = "no/such/place"\n')
    told = run("check")
    assert told.exit_code == 4
    assert f"no/such/place: the directory {tmp_path / 'no/such'} does not exist" in told.stderr


def test_alert_rules_are_printed_as_they_are(run: Run) -> None:
    rules = files("precoro_daemon.adapters.listener").joinpath("alerts.yml").read_text("utf-8")
    assert run("alerts").stdout == rules


def test_the_readme_and_the_manual_show_every_command_and_only_those_that_exist() -> None:
    texts = [path.read_text("utf-8") for path in (ROOT / "README.md", *MANUAL.glob("*.md"))]
    code = re.findall(r"```.+?```|`[^`]+`", "\n\n".join(texts), re.DOTALL)
    assert set(re.findall(r"(?<!runpip )precoro-daemon ([a-z]+)\b", "\n".join(code))) == set(ENTRIES)


def test_the_manual_tells_every_event_and_every_fault() -> None:
    log = (MANUAL / "operations.md").read_text("utf-8").split("## The log")[1]
    assert dict(re.findall(r"^\| `([a-z_]+)` \| (.+?) \|$", log, re.MULTILINE)) == dict(EVENTS)
    kinds = (MANUAL / "sandbox.md").read_text("utf-8").split("The kinds:")[1]
    assert set(re.findall(r"`(\w+)`", kinds)) == set(KINDS)


def test_the_manual_names_every_view() -> None:
    views = {match for statement in view_definitions() for match in re.findall(r"CREATE VIEW (\w+)", statement)}
    assert views <= set(re.findall(r"`(\w+)`", (MANUAL / "data.md").read_text("utf-8")))


def test_the_version(run: Run) -> None:
    assert __version__ in run("--version").stdout


def families(kind: type[DaemonError]) -> Iterator[type[DaemonError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from families(child)


def test_every_failure_has_a_declared_exit_code() -> None:
    assert {kind.exit_code for kind in families(DaemonError)} <= set(EXIT_CODES)


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (RunReport(brought=9), 0),
        (RunReport(failed=["taxes: 404"]), 3),
        (RunReport(spent=SPENT), 6),
        (RunReport(spent=SPENT, failed=["taxes: 404"]), 6),
        (RunReport(stopped="time"), 6),
        (RunReport(stopped="signal"), 130),
        (RunReport(stopped="signal", spent=SPENT), 130),
    ],
)
def test_what_a_run_came_to_is_its_exit_code(report: RunReport, code: int) -> None:
    assert exit_code(report) == code


def test_a_missing_file_is_named(run: Run) -> None:
    result = run("check", "--config", "none.toml")
    assert result.exit_code == 4
    assert "none.toml" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", [["check"], ["status"], ["estimate"], ["--once"]])
def test_all_mistakes_are_told_at_once(run: Run, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "config.toml").write_text('[precoro]\nregion = "mars"\n[mirror_collections]\nper_page = 7\n')
    result = run(*command)
    assert result.exit_code == 4
    assert "region" in result.stderr
    assert "per_page" in result.stderr
    assert result.stdout == ""


def test_a_key_that_others_can_read_is_refused(run: Run, company: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "token").chmod(0o644)
    result = run("check")
    assert result.exit_code == 4
    assert "chmod 600" in result.stderr
    assert company.journal.total == 0


def test_check_says_what_the_key_sees_and_makes_no_state(run: Run, company: Sandbox, tmp_path: Path) -> None:
    result = run("check")
    assert result.exit_code == 0
    assert f"4 collections into sqlite:///{tmp_path}/precoro.db" in result.stdout
    assert f"precoro.token_file: {tmp_path}/token\n" in result.stdout
    assert f"{company.url} accepts the key and shows it invoices" in result.stdout
    assert company.journal.total == 1
    assert not (tmp_path / "precoro.db").exists()


_READ = "SELECT id AS key, bill AS invoice, amount, currency, day AS paid_on, id AS position FROM payments"

BOOKS = """
[mark_invoices_paid]
enabled = true
match_by = "idn"
[ledger]
kind = "sql"
name = "B"
[ledger.sql]
url = "sqlite:///{path}"
start = "0"
read = "{read} WHERE id > :position ORDER BY id"
"""


@pytest.mark.parametrize(
    ("there", "read", "said"),
    [
        (False, _READ, "ledger B: read: there is no file {path}"),
        (True, _READ.replace("bill AS", "no_such AS"), "no such column: no_such"),
        (True, _READ.replace("AS position", "AS place"), "the query gives no position"),
        (True, _READ, ""),
    ],
)
def test_check_opens_the_ledger(
    run: Run, company: Sandbox, tmp_path: Path, *, there: bool, read: str, said: str
) -> None:
    path = tmp_path / "books.db"
    if there:
        with closing(sqlite3.connect(path)) as books:
            books.execute("CREATE TABLE payments (id INTEGER, bill TEXT, amount TEXT, currency TEXT, day TEXT)")
    configure(tmp_path, company.url, company.token, company.email, BOOKS.format(path=path, read=read))
    told = run("check")
    assert told.exit_code == (4 if said else 0), told.output
    assert said.format(path=path) in told.stderr
    assert ("ledger         B can be asked, and has no payments yet" in told.stdout) == (not said)
    assert "accepts the key" in told.stdout, "the other parts are looked at all the same"
    assert path.exists() == there
    assert not (tmp_path / "precoro.db").exists()


@pytest.mark.parametrize(
    ("rows", "exit_code", "said"),
    [
        ([("16", "12.50")], 0, "B can be read, such as payment 1 of 12.50 EUR on 2026-01-31 for 16 (seen: EUR)"),
        ([("16", "12.50"), ("17", "much")], 0, "(seen: EUR); 1 row of it cannot be read, such as 2"),
        ([("16", "much")], 4, "no payment could be read; row 1: amount: 'much' is no"),
    ],
)
def test_check_reads_a_payment_whole(
    run: Run, company: Sandbox, tmp_path: Path, *, rows: list[tuple[str, str]], exit_code: int, said: str
) -> None:
    path = tmp_path / "books.db"
    with closing(sqlite3.connect(path)) as books, books:
        books.execute("CREATE TABLE payments (id INTEGER, bill TEXT, amount TEXT, currency TEXT, day TEXT)")
        for number, row in enumerate(rows, 1):
            books.execute("INSERT INTO payments VALUES (?, ?, ?, 'EUR', '2026-01-31')", (number, *row))
    configure(tmp_path, company.url, company.token, company.email, BOOKS.format(path=path, read=_READ))
    told = run("check")
    assert told.exit_code == exit_code
    assert said in " ".join(told.output.split())


def test_check_tells_what_lists_and_documents_have_of_a_day(run: Run, company: Sandbox, tmp_path: Path) -> None:
    given = (tmp_path / "config.toml").read_text()

    def told(old: str = "", new: str = "") -> str:
        (tmp_path / "config.toml").write_text(given.replace(old, new) if old else given)
        result = run("check")
        assert result.exit_code == 0
        return result.stdout

    lists = "schedule       lists take 4 of 3,000 calls a day where nothing changes"
    assert f"{lists}, 200 at most until the first fill is done; 2,700 are for documents\n" in told()
    warning = "every, oldest and within ask for 2,880 calls a day: invoices 720, suppliers 720, taxes 720, "
    assert warning in (often := told("[limits]", 'every = "2m"\n[limits]'))
    assert "per_day leaves 2,750 for lists. Give [mirror_collections] fewer collections or" in often
    few = told("[limits]", "[freshness]\nlist_calls = 3\n[limits]")
    assert "ask for 4 calls a day: " in few
    assert "; freshness.list_calls leaves 3 for lists. Give" in few
    assert run("--once").exit_code == 0
    assert f"{lists}, 1,200 at most; 1,700 are for documents\n" in told(), "by what is known now"


def test_check_says_where_no_state_could_be(run: Run, company: Sandbox, tmp_path: Path) -> None:
    configure(tmp_path, company.url, company.token, company.email, '[state]\nurl = "sqlite:///no/such/state.db"\n')
    told = run("check")
    assert told.exit_code == 4
    assert told.stderr.count("The directory") == 1
    assert "state          cannot be used" in told.stdout


def test_a_refused_key_is_one_message(run: Run, company: Sandbox, tmp_path: Path) -> None:
    configure(tmp_path, company.url, "another-key", company.email)
    result = run("check")
    assert result.exit_code == 5
    assert "token, e-mail or region" in result.stderr
    assert "another-key" not in result.output
    assert "Traceback" not in result.output


def test_a_host_that_does_not_answer_is_one_message(run: Run, tmp_path: Path) -> None:
    configure(tmp_path, "http://127.0.0.1:1", "a-key-of-its-own", "a@example.org")
    result = run("check")
    assert result.exit_code == 1
    assert "cannot be reached" in result.stderr
    assert "Traceback" not in result.output


def test_a_whole_run_logs_json_lines_and_status_shows_what_it_brought(run: Run, company: Sandbox) -> None:
    result = run("--once")
    assert result.exit_code == 0, result.output
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("run_started", "run_finished")
    assert company.token not in result.output

    state = json.loads(run("status", "--json").stdout)
    assert {name: one["records"] for name, one in state["collections"].items() if one["records"]} == {
        "invoices": 4,
        "suppliers": 3,
        "taxes": 2,
    }
    assert state["collections"]["invoices"]["details"] == 4
    assert "invoices" in run("status").stdout


def test_what_calls_nobody_needs_no_key(run: Run, company: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    columns = ", ".join(f'{name} = "{name}"' for name in ("key", "invoice", "amount", "currency", "paid_on"))
    more = f'[state]\nurl = "sqlite:///{tmp_path / "precoro.db"}"\n[ledger]\nkind = "csv"\nname = "B"\n'
    more += f'[ledger.csv]\nin_directory = "{tmp_path / "books"}"\ncolumns = {{ {columns} }}\n'
    configure(tmp_path, company.url, company.token, company.email, more)
    assert run("--once", "--only", "mirror_collections").exit_code == 0
    config = tmp_path / "config.toml"
    config.write_text(
        config.read_text().replace('token_file = "token"\n', "") + '[apply_deliveries]\nlisten = "127.0.0.1:8470"\n'
    )
    calls = company.journal.total
    for command in (
        ["status"],
        ["status", "--json"],
        ["state", "backup", "copy.db"],
        ["state", "restore", "copy.db"],
        ["payments", "disarm"],
        ["payments", "review"],
        ["payments", "plan"],
    ):
        done = run(*command)
        assert (done.exit_code, done.stderr) == (0, ""), command
    for command in (["check"], ["--once"], ["status", "--webhook-url"], ["payments", "apply"]):
        refused = run(*command)
        assert (refused.exit_code, "precoro.token: missing" in refused.stderr) == (4, True), command
    assert company.journal.total == calls


def test_one_job_alone(run: Run, company: Sandbox) -> None:
    assert run("--once", "--only", "mirror_collections").exit_code == 0
    state = json.loads(run("status", "--json").stdout)
    assert (state["collections"]["invoices"]["records"], state["collections"]["invoices"]["due"]) == (4, 4)


def test_an_estimate_before_anything_is_spent(run: Run, company: Sandbox) -> None:
    result = run("estimate")
    assert result.exit_code == 0, result.output
    assert re.search(r"invoices +4 +1 +4", result.stdout)
    assert "8 calls in all" in result.stdout


def test_a_list_that_fails_is_told_and_its_siblings_are_there(run: Run, company: Sandbox) -> None:
    company.faults.add("404", path="^/taxes", times=None)
    assert run("--once").exit_code == 3
    state = json.loads(run("status", "--json").stdout)
    assert [item["collection"] for item in state["quarantined"]] == ["taxes"]
    assert state["collections"]["invoices"]["details"] == 4
    result = run("estimate")
    assert result.exit_code == 3
    assert "could not be read: taxes: it was deleted, or this API user may not see it; GET /taxes" in result.stdout


def test_a_spent_day_ends_the_run_with_more_to_do(run: Run, company: Sandbox, tmp_path: Path) -> None:
    configure(tmp_path, company.url, company.token, company.email, "per_day = 6\n")
    result = run("--once")
    assert result.exit_code == 6, result.output
    state = json.loads(run("status", "--json").stdout)
    assert state["collections"]["invoices"]["due"] > 0
    assert state["quota"]["day"] < 6
    assert any(json.loads(line)["event"] == "budget_spent" for line in result.stdout.splitlines())


def test_a_state_that_is_held_is_left_alone(
    run: Run, company: Sandbox, portal: anyio.from_thread.BlockingPortal, tmp_path: Path
) -> None:
    with portal.wrap_async_context_manager(SqliteState(tmp_path / "precoro.db", "somebody").open()):
        result = run("--once")
    assert result.exit_code == 7
    assert "Traceback" not in result.output
    assert company.journal.total == 0


def test_a_demo_into_a_file_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for into in ("file", "file/below"):
        refused = run("demo", "--into", into)
        assert (refused.exit_code, f"--into {into}: no directory can be made there" in refused.stderr) == (4, True)


def test_the_sandbox_offers_all_it_can_be() -> None:
    choices = {option.name: option.type for option in sandbox.params}
    for name, offered in (("size", Size), ("order", Order), ("meta", Meta)):
        assert isinstance(choices[name], click.Choice)
        assert set(choices[name].choices) == set(get_args(offered))


def test_a_sandbox_whose_port_is_taken_says_so(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = run("sandbox", "--port", port)
    assert result.exit_code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr
