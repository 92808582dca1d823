"""`ledger login` on a terminal and from a script: what is asked, what is kept, and that nothing else is touched."""

from __future__ import annotations

import json
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from precoro_daemon.cli import main
from tests.adapters.grants import books
from tests.adapters.grants.authority import CLIENT, SECRET, Authority, free_port, redirected, serving
from tests.cli.terminals import terminal

CONFIG = '# ours\n[precoro]\nregion = "us"\nemail = "a@ours.example"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    path.chmod(0o640)
    return path


def login(config: Path, kind: str, url: str, *more: str) -> list[str]:
    return ["ledger", "login", kind, "--config", str(config), "--login-url", url, "--base-url", url, *more]


def run(*command: str) -> Result:
    return CliRunner().invoke(main, command, catch_exceptions=False)


def section(config: Path) -> Any:
    text = config.read_text()
    assert text.startswith(CONFIG)
    return tomllib.loads(text)["ledger"]


def browse(address: str) -> str:
    """As the browser of a user who agrees: what the page at the end shows, "" where there is none."""
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        error.close()
        return ""


def test_xero_on_a_terminal(config: Path) -> None:
    """By the browser, whose redirect comes to a listener; another one's redirect changes nothing."""
    port = free_port()
    authority = Authority(redirects=(f"http://localhost:{port}/callback",))
    with (
        serving(authority, books.xero) as url,
        terminal(login(config, "xero", url, "--port", str(port)), config.parent) as shown,
    ):
        shown.expect("Client id of your Xero app")
        shown.type(CLIENT)
        address = shown.expect(r"http://\S+/identity/connect/authorize\?\S+")[0]
        assert browse(f"http://localhost:{port}/callback?code=evil&state=other") == ""
        assert "You may close this window" in browse(address)
        shown.expect(r"1 .*Other Company\n.*2 .*Our Company\n")
        shown.type("2")
        shown.expect("Pay EUR from:\n.*1 .*a-eur")
        shown.type("1")
        shown.expect(r"Pay USD from:\n.*1 .*a-usd .*\n.*2 .*a-usd2")
        shown.type("2")
        assert shown.end() == 0, shown.shown
        grant = json.loads((config.parent / "xero-grant.json").read_text())
        assert grant["access_token"] in authority.access
    assert [secret for secret in (grant["access_token"], grant["refresh_token"]) if secret in shown.shown] == []
    assert section(config) == {
        "kind": "xero",
        "name": "xero",
        "xero": {
            "base_url": url,
            "tenant_id": books.OURS,
            "grant_file": str(config.parent / "xero-grant.json"),
            "accounts": {"EUR": "a-eur", "USD": "a-usd2"},
        },
    }
    [backup] = config.parent.glob("config.toml.*.bak")
    assert backup.read_text() == CONFIG
    assert [path.stat().st_mode & 0o777 for path in (backup, config)] == [0o640, 0o640]


def test_quickbooks_on_a_terminal(config: Path) -> None:
    """By the address that the browser ends at, pasted; the secret is not shown."""
    authority = Authority(secret=SECRET, redirects=("https://ours.example/qbo",), realm="4620816365")
    with (
        serving(authority, books.quickbooks) as url,
        terminal(login(config, "quickbooks", url, "--client-id", CLIENT), config.parent) as shown,
    ):
        shown.expect("client secret")
        shown.type(SECRET)
        shown.expect("redirect URI")
        shown.type("https://ours.example/qbo")
        address = shown.expect(r"http://\S+/connect/oauth2\?\S+")[0]
        shown.expect("Paste the address")
        shown.type(redirected(address))
        shown.expect("Pay EUR from:")
        shown.type("1")
        shown.expect("Pay USD from:")
        shown.type("0")
        assert shown.end() == 0, shown.shown
    assert SECRET not in shown.shown
    made = section(config)["quickbooks"]
    assert (made["realm_id"], made["accounts"]) == ("4620816365", {"EUR": "35"})


def test_business_central_on_a_terminal(config: Path) -> None:
    """By a code that is typed on another device."""
    with (
        serving(Authority(pending=2), books.business_central) as url,
        terminal(login(config, "business_central", url, "--environment", "sandbox"), config.parent) as shown,
    ):
        shown.expect("client")
        shown.type(CLIENT)
        shown.expect("tenant")
        shown.type("tenant-1")
        shown.expect("microsoft.com/devicelogin and type the code WDJB-MJHT")
        shown.expect(r"Payment journal:\n.*1 .*DEFAULT.*\n.*2 .*BANK")
        shown.type("2")
        assert shown.end() == 0, shown.shown
    made = section(config)["business_central"]
    assert (made["tenant_id"], made["environment"], made["company"]) == ("tenant-1", "sandbox", books.OURS)
    assert made["journal"] == "BANK"
    assert made.keys() == {"base_url", "tenant_id", "environment", "company", "grant_file", "journal"}


def test_odoo_on_a_terminal(config: Path) -> None:
    with (
        serving(Authority(), books.odoo) as url,
        terminal(["ledger", "login", "odoo", "--config", str(config)], config.parent) as shown,
    ):
        shown.expect("Address of Odoo")
        shown.type(f"{url}/odoo/accounting?debug=1#action=7")  # as a browser shows it
        shown.expect("Databases there: prod, test")
        shown.type("prod")
        shown.expect("User")
        shown.type("books@ours.example")
        shown.expect("API key")
        shown.type("mistyped")
        shown.expect("does not know the user books@ours.example with that key in the database prod\n.*Once more")
        for question, answer in (("Address", ""), ("Database", ""), ("User", ""), ("API key", "the-odoo-key")):
            shown.expect(f"{question}[^\n]*: ")
            shown.type(answer)
        shown.expect("Pay EUR from:")
        shown.type("1")
        shown.expect("Pay USD from:")
        shown.type("1")
        assert shown.end() == 0, shown.shown
    assert "the-odoo-key" not in shown.shown
    assert "enabled = true" in shown.shown
    made = section(config)["odoo"]
    key_file = Path(made.pop("token_file"))
    assert key_file.read_text() == "the-odoo-key\n"
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert made == {
        "base_url": url,
        "database": "prod",
        "user": "books@ours.example",
        "company": "1",
        "journals": {"EUR": "BNK1", "USD": "BNK2"},
    }


def secret_in(folder: Path, text: str = SECRET) -> str:
    path = folder / "secret"
    path.touch(0o600)
    path.write_text(text)
    return str(path)


def as_app(config: Path, url: str, *more: str) -> Result:
    client = ("--client-id", CLIENT, "--client-secret-file", secret_in(config.parent))
    where = ("--tenant", "tenant-1", "--environment", "sandbox")
    return run(*login(config, "business_central", url, *client, *where, *more))


def test_from_a_script(config: Path) -> None:
    """Everything by options; what is missing is named with its choices, and nothing is kept."""
    with serving(Authority(secret=SECRET), books.business_central) as url:
        refused = as_app(config, url)
        assert refused.exit_code == 2
        assert "--journal" in refused.stderr
        assert "BANK  Bank Payments" in refused.stderr
        assert sorted(path.name for path in config.parent.iterdir()) == ["config.toml", "secret"]
        made = as_app(config, url, "--journal", "bank payments", "--name", "books")
        assert made.exit_code == 0, made.stderr
    assert section(config)["name"] == "books"
    assert section(config)["business_central"]["journal"] == "BANK"


def to_odoo(config: Path, url: str, *more: str) -> Result:
    key = ("--key-file", secret_in(config.parent, "the-odoo-key"))
    whose = ("--database", "prod", "--user", "books@ours.example")
    return run("ledger", "login", "odoo", "--config", str(config), "--base-url", url, *key, *whose, *more)


def test_accounts_must_be_of_their_currency(config: Path) -> None:
    with serving(Authority(), books.odoo) as url:
        for given, said in (
            ("USD=BNK1", "is kept in EUR"),
            ("EUR=NONE", "there is none of that id"),
            ("BNK1", "EUR="),
        ):
            refused = to_odoo(config, url, "--account", given)
            assert (refused.exit_code, said in refused.stderr) == (2, True)
        assert config.read_text() == CONFIG
        made = to_odoo(config, url, "--account", "eur=BNK1", "--account", "USD=Dollars")
    assert made.exit_code == 0, made.stderr
    assert section(config)["odoo"]["journals"] == {"EUR": "BNK1", "USD": "BNK2"}
    assert section(config)["odoo"]["token_file"] == str(config.parent / "secret")
    assert (config.parent / "secret").read_text() == "the-odoo-key", "a file of the user's own is left alone"


def test_without_a_terminal_it_says_what_to_give(config: Path) -> None:
    refused = run("ledger", "login", "xero", "--config", str(config))
    assert (refused.exit_code, "--client-id" in refused.stderr) == (2, True)


def test_a_ledger_that_is_there_is_never_overwritten(config: Path) -> None:
    """The section is shown instead, to be put in its place."""
    config.write_text(text := f'{CONFIG}[ledger]\nkind = "none"\n')
    with serving(Authority(secret=SECRET), books.business_central) as url:
        made = as_app(config, url, "--journal", "BANK")
    assert made.exit_code == 0, made.stderr
    assert config.read_text() == text
    assert "[ledger.business_central]\n" in made.stdout
    assert list(config.parent.glob("*.bak")) == []


def test_login_again_keeps_what_is_configured(config: Path) -> None:
    """And the client is known, so that nothing is asked but the login."""
    with serving(Authority(secret=SECRET), books.business_central) as url:
        assert as_app(config, url, "--journal", "BANK").exit_code == 0
        before = config.read_text()
        again = run(*login(config, "business_central", url))
        assert again.exit_code == 0, again.stderr
        assert config.read_text() == before
        assert "left as it is" in again.stdout


def test_status_and_logout(config: Path) -> None:
    authority = Authority(redirects=("http://localhost:8765/callback",))
    with serving(authority, books.xero) as url:
        with terminal(login(config, "xero", url, "--client-id", CLIENT, "--no-browser", "--tenant", "our company",
                            "--account", "EUR=a-eur"), config.parent) as shown:  # fmt: skip
            address = shown.expect(r"http://\S+/identity/connect/authorize\?\S+")[0]
            shown.expect("Paste the address")
            shown.type(redirected(address))
            assert shown.end() == 0, shown.shown
        file = config.parent / "xero-grant.json"
        grant = json.loads(file.read_text())
        told = run("ledger", "status", "--json", "--config", str(config))
        seen = json.loads(told.stdout)
        assert (told.exit_code, seen["whose"], seen["lost"]) == (0, "Our Company", "")
        assert seen["ends_at"] == grant["ends_at"]
        assert grant["refresh_token"] not in told.stdout
        text = run("ledger", "status", "--config", str(config)).stdout
        assert "prolonged by each refresh" in text
        out = run("ledger", "logout", "--config", str(config))
        assert (out.exit_code, file.exists()) == (0, False)
        assert grant["refresh_token"] in authority.revoked[0]
        after = run("ledger", "status", "--config", str(config))
        assert (after.exit_code, "there is no grant" in after.stdout) == (4, True)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("", "no [ledger] is configured; name the kind that you logged in to: xero,"),
        ("csv", "a ledger of the kind csv needs no login"),
        ("odoo", "its key is in a file, and `check` tells"),
    ],
)
def test_status_of_a_ledger_without_a_login_says_so(config: Path, kind: str, said: str) -> None:
    if kind:
        config.write_text(f'{config.read_text()}\n[ledger]\nkind = "{kind}"\n')
    told = run("ledger", "status", "--config", str(config))
    assert told.exit_code == 2
    assert said in " ".join(told.output.split())


def test_a_login_that_fails_keeps_nothing(config: Path) -> None:
    with serving(Authority(redirects=("http://localhost:8765/callback",)), books.xero) as url:
        with terminal(login(config, "xero", url, "--client-id", CLIENT, "--no-browser"), config.parent) as shown:
            address = shown.expect(r"http://\S+/identity/connect/authorize\?\S+")[0]
            shown.expect("Paste the address")
            shown.type(redirected(address).replace("code=", "error=access_denied&x="))
            assert shown.end() == 5, shown.shown
        assert [path.name for path in config.parent.iterdir()] == ["config.toml"]
        assert config.read_text() == CONFIG
