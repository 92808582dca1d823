"""`init` as a newcomer has it on a terminal, and as a script has it: what is asked, tried and written."""

from __future__ import annotations

import sqlite3
import stat
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import anyio.from_thread
import pytest
import yaml
from click.testing import CliRunner, Result

from precoro_daemon.cli import main
from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from tests.cli.terminals import terminal

SCALE = "50"
COUNTS = {"invoices": 4, "suppliers": 3, "taxes": 2}
NEWCOMER_S = 120.0
TYPED = ("Files of a service", "attached files", "How often", "webhooks", "Accounting system")


@pytest.fixture
def company() -> Iterator[Sandbox]:
    options = SandboxOptions(size="empty", counts=COUNTS, time_scale=float(SCALE))
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(options)) as sandbox,
    ):
        yield sandbox


def init(directory: Path, *options: str, key: str = "sandbox-key\n") -> Result:
    command = ["init", "--config", str(directory / "config.toml"), "--time-scale", SCALE, *options]
    return CliRunner().invoke(main, command, input=key)


def access(company: Sandbox) -> list[str]:
    return ["--base-url", company.url, "--email", company.email, "--key-file", "-"]


def written(directory: Path) -> dict[str, object]:
    return tomllib.loads((directory / "config.toml").read_text())


def test_a_newcomer_comes_to_the_first_answer_within_two_minutes(company: Sandbox, tmp_path: Path) -> None:
    began = time.monotonic()
    with terminal(["init", "--time-scale", SCALE], tmp_path) as shown:
        shown.expect("Region of your company")
        shown.type(company.url)
        shown.expect("E-mail")
        shown.type("nobody\x1b[D")
        shown.expect(r"nobody\\u001b\[D holds a sign that nobody sees")
        shown.type("nobody")
        shown.expect("is no e-mail address: it has no @; allowed: the e-mail of the key's user")
        shown.type(company.email)
        shown.expect("API key")
        shown.type("not-the-key-of-it")
        shown.expect(r"401.*\n.*Answer these questions again")
        shown.type("")
        for question, answer in ((rf"Region.*\[{company.url}\]: $", ""), (rf"E-mail.*\[{company.email}\]: $", "")):
            shown.expect(question)
            shown.type(answer)
        shown.expect("API key")
        shown.type(company.token)
        shown.expect("accepts the key")
        shown.expect("See what this key may read")
        shown.type("")
        for pattern in ("invoices +4 +1 +4", "suppliers +3", "within the limits", r"Collections: .*\[all\]: $"):
            shown.expect(pattern)
        shown.type("")
        for question in TYPED:
            shown.expect(question)
            shown.type("")
        shown.expect("wrote .*token, for its owner alone\nwrote .*config.toml\n")
        shown.expect("precoro-daemon --once")
        assert shown.end() == 0, shown.shown
    assert company.token not in shown.shown
    with terminal(["--once"], tmp_path) as once:
        assert once.end() == 0, once.shown
    with closing(sqlite3.connect(tmp_path / "precoro.db")) as connection:
        assert connection.execute("SELECT count(*) FROM suppliers").fetchall() == [(3,)]
    assert time.monotonic() - began < NEWCOMER_S
    assert company.limits.refusals.total() == 0  # the calls of init count in the state
    assert written(tmp_path) == {
        "precoro": {"base_url": company.url, "email": company.email, "token_file": "token"},
        "limits": {"time_scale": 50.0},
    }
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


@pytest.mark.parametrize("answered", [0, 2, 4])
def test_interrupted_at_a_question_it_leaves_nothing(company: Sandbox, tmp_path: Path, answered: int) -> None:
    answers = [("Region", company.url), ("E-mail", company.email), ("API key", company.token), ("See what", "n")]
    with terminal(["init", "--time-scale", SCALE], tmp_path) as shown:
        for question, answer in answers[:answered]:
            shown.expect(question)
            shown.type(answer)
        shown.expect([*(question for question, _ in answers), "Collections"][answered] + ".*: $")
        assert shown.interrupt() == 130, shown.shown
    assert list(tmp_path.iterdir()) == []


def test_a_script_says_it_all_by_options(company: Sandbox, tmp_path: Path) -> None:
    wanted = [
        "--collections",
        "invoices,suppliers",
        "--files",
        "kept",
        "--every",
        "15m",
        "--webhooks",
        "127.0.0.1:8470",
    ]
    done = init(tmp_path, *access(company), *wanted, "--public-url", "https://hooks.example.com")
    assert done.exit_code == 0, done.output
    assert written(tmp_path) == {
        "precoro": {"base_url": company.url, "email": company.email, "token_file": "token"},
        "limits": {"time_scale": 50.0},
        "mirror_collections": {"collections": ["invoices", "suppliers"], "every": "15m"},
        "fetch_attachments": {"directory": "kept"},
        "apply_deliveries": {
            "listen": "127.0.0.1:8470",
            "secret_file": "webhook-secret",
            "public_url": "https://hooks.example.com",
        },
    }
    assert stat.S_IMODE((tmp_path / "webhook-secret").stat().st_mode) == 0o600
    again = init(tmp_path, *access(company))
    assert (again.exit_code, "--force replaces it" in again.stderr) == (2, True)
    key = ["--key-file", str(tmp_path / "token")]
    assert init(tmp_path, *access(company)[:-2], *key, "--force").exit_code == 0
    assert len(list(tmp_path.glob("config.toml.*.bak"))) == 1
    assert written(tmp_path).keys() == {"precoro", "limits"}


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    done = init(tmp_path, "--region", "uss", "--collections", "taxs", "--every", "5 minutes", "--service", "cron")
    told = " ".join(done.stderr.split())
    assert done.exit_code == 2
    for one in (
        '--region: "uss" is not valid (did you mean "us"?); expected one of: international, us',
        '--collections: "taxs" is not valid (did you mean "taxes"?)',
        '--every: "5 minutes" is not valid; expected auto, a duration',
        "--service: cron is not valid; expected one of: none, systemd, compose",
        "there is no terminal to ask on; give --email, --key-file",
    ):
        assert one in told
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_refused_is_no_configuration(company: Sandbox, tmp_path: Path) -> None:
    done = init(tmp_path, *access(company), key="not-the-key-of-it\n")
    assert (done.exit_code, "401" in done.stderr) == (5, True)
    assert list(tmp_path.iterdir()) == []


def test_what_a_service_needs(company: Sandbox, tmp_path: Path) -> None:
    done = init(
        tmp_path, *access(company), "--service", "systemd", "--files", "files", "--webhooks", "127.0.0.1:8470"
    )
    assert done.exit_code == 0, done.output
    unit = (tmp_path / "precoro-daemon.service").read_text()
    assert f" run --config {tmp_path}/config.toml\n" in unit
    assert (
        f"LoadCredential=precoro_token:{tmp_path}/token\nLoadCredential=webhook_secret:{tmp_path}/webhook-secret"
        in unit
    )
    assert written(tmp_path)["state"] == {"url": "sqlite:////var/lib/precoro-daemon/precoro.db"}
    assert written(tmp_path)["fetch_attachments"] == {"directory": "/var/lib/precoro-daemon/files"}
    assert "token_file" not in written(tmp_path)["precoro"]  # type: ignore[operator]

    (other := tmp_path / "other").mkdir()
    assert init(other, *access(company), "--service", "compose", "--files", "files").exit_code == 0
    compose = yaml.safe_load((other / "compose.yaml").read_text())
    assert compose["secrets"] == {"precoro_token": {"file": str(other / "token")}}
    assert written(other)["fetch_attachments"] == {"directory": "/data/files"}
    assert not (other / "precoro.db").exists()
