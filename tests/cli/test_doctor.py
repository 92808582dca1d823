"""`doctor` as people and scripts have it: what it says, asks and writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import anyio.from_thread
import pytest
from click.testing import CliRunner, Result

from precoro_daemon.cli import main
from precoro_daemon.sandbox import Quota, Sandbox, SandboxOptions, serve
from precoro_daemon.sandbox import ledger as sandbox_ledger
from precoro_daemon.values.money import plain
from tests.cli.terminals import terminal

SCALE = 60.0
COUNTS = {"invoices": 20, "suppliers": 3}
BY_PATH = Quota(per_second=0, per_minute=0, same_get_scope="path")
CONFIG = """# ours
[precoro]
base_url = "{url}"
email = "buyer@sandbox.example"
token_file = "token"
[limits]  # by contract
time_scale = 60
per_second = 0 # granted
same_get_scope = "url" # as documented
"""


@pytest.fixture
def company() -> Iterator[Sandbox]:
    options = SandboxOptions(size="empty", counts=COUNTS, time_scale=SCALE, quota=BY_PATH)
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(options)) as sandbox,
    ):
        yield sandbox


@pytest.fixture
def config(company: Sandbox, tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("sandbox-key")
    (tmp_path / "token").chmod(0o600)
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(url=company.url))
    return path


def doctor(config: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["doctor", "--config", str(config), *options])


def test_a_script_gets_facts_and_writes_only_if_it_says_so(config: Path) -> None:
    before = config.read_text()
    done = doctor(config)
    assert (done.exit_code, done.stderr) == (0, "This takes up to 18 calls.\n"), done.output
    assert '[limits] same_get_scope = "path"  # another URL of the route was refused' in done.stdout
    assert "--yes writes it" in done.stdout
    assert config.read_text() == before
    found = json.loads(doctor(config, "--json").stdout)
    assert {fact["name"]: fact["value"] for fact in found["facts"]}["same_get_scope"] == "path"
    assert [one["key"] for one in found["settings"]] == ["same_get_scope"]
    assert config.read_text() == before
    done = doctor(config, "--yes")
    assert (done.exit_code, f"wrote {config}." in done.stdout) == (0, True), done.output
    assert config.read_text() == before.replace('"url" #', '"path" #')
    status = CliRunner().invoke(main, ["status", "--config", str(config)])
    assert "identical GETs: another URL of the route was refused" in status.stdout
    shown = json.loads(CliRunner().invoke(main, ["status", "--json", "--config", str(config)]).stdout)
    assert {fact["name"] for fact in shown["facts"]} >= {"same_get_scope", "time_zone", "list_order"}


def test_a_person_is_asked_before_calls_and_before_writing(config: Path, company: Sandbox) -> None:
    with terminal(["doctor"], config.parent) as shown:
        shown.expect(r"up to 18 calls.*\nMake them\?.*: $")
        shown.type("n")
        assert shown.end() == 130, shown.shown
    assert company.journal.total == 0
    with terminal(["doctor"], config.parent) as shown:
        shown.expect(r"Make them\?.*: $")
        shown.type("")
        shown.expect("order of lists: invoices: newest first by creation")
        shown.expect(r"Write this into .*config.toml\?.*: $")
        shown.type("")
        shown.expect(r"wrote .*config.toml")
        assert shown.end() == 0, shown.shown
    assert 'same_get_scope = "path" # as documented' in config.read_text()


def test_a_refused_key_is_said_in_one_sentence(config: Path) -> None:
    (config.parent / "token").write_text("not-the-key-of-it")
    done = doctor(config)
    assert (done.exit_code, "401" in done.stderr, "Traceback" in done.output) == (5, True, False)


def test_a_write_test_needs_payments_that_are_sent_with_an_id(config: Path) -> None:
    done = doctor(config, "--write-test", "5", "--yes")
    assert done.exit_code == 2
    assert "[mark_invoices_paid] is not enabled: no payment is sent with an id" in done.stderr
    ledger = sandbox_ledger.configuration(config.parent / "books.db")
    config.write_text(config.read_text() + ledger.replace("match_by", 'external_id = "none"\nmatch_by'))
    assert '[mark_invoices_paid] has external_id = "none"' in doctor(config, "--write-test", "5").stderr


def test_a_write_test_shows_what_it_sends_and_sends_nothing_unasked(config: Path, company: Sandbox) -> None:
    books = config.parent / "books.db"
    config.write_text(config.read_text() + sandbox_ledger.configuration(books))
    invoice = sandbox_ledger.payable(company.company)[0]
    owed = plain(Decimal(invoice.total - invoice.paid) / 100)
    sandbox_ledger.found(books)
    sandbox_ledger.record(books, invoice, invoice.total - invoice.paid, "2026-01-15")
    for words in (["--once", "--only", "mirror_collections"], ["payments", "arm"]):
        assert CliRunner().invoke(main, [*words, "--config", str(config)]).exit_code in (0, 3)
    before = len(company.company["payments"])
    refused = doctor(config, "--write-test", str(invoice.idn))
    assert (refused.exit_code, len(company.company["payments"])) == (2, before)
    assert f"{owed} {invoice.currency} for invoice {invoice.idn} (payment 1 of 2026-01-15)" in refused.stderr
    assert "nobody is there to ask; give --yes" in refused.stderr
    done = doctor(config, "--write-test", str(invoice.idn), "--yes", "--json")
    made = json.loads(done.stdout)["payment"]
    assert (done.exit_code, made["state"], made["kept"]) == (0, "confirmed", True), done.output
    assert len(company.company["payments"]) == before + 1
    again = doctor(config, "--write-test", str(invoice.idn), "--yes")
    assert (again.exit_code, len(company.company["payments"])) == (2, before + 1)
    assert f"no payment of the ledger for invoice {invoice.idn} would be sent now" in again.stderr
