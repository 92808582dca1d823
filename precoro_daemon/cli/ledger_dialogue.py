"""the dialogue of one login at an accounting system: log in, choose a company, choose accounts"""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from precoro_daemon.app.ledger_login import (
    BrowserLogin,
    Login,
    Place,
    api_of,
    log_in_as_app,
    log_in_by_device,
    log_in_to_odoo,
    odoo_databases,
)
from precoro_daemon.cli.questions import Questions, listed, picked
from precoro_daemon.cli.running import echo, run_async
from precoro_daemon.errors import DaemonError
from precoro_daemon.settings.credentials import CredentialError, read_credential
from precoro_daemon.settings.values import Clash, read_origin

if TYPE_CHECKING:
    from precoro_daemon.payments.ports.login_directory import Account, Organisation

_CLIENT = {
    "xero": "Client id of your Xero app (developer.xero.com: grant type Auth Code with PKCE, redirect {redirect})",
    "quickbooks": "Client id of your Intuit app (developer.intuit.com)",
    "business_central": "Application (client) id of your app registration (entra.microsoft.com)",
}


class Dialogue:
    """Asks the questions of a login.

    known   the section [ledger.<kind>] as it is configured
    client  id and secret of the app at the last login
    """

    def __init__(
        self, kind: str, questions: Questions, known: Mapping[str, Any], client: tuple[str, str] = ("", "")
    ) -> None:
        self.kind = kind
        self.ask = questions
        self._known = known
        self._client = client

    def log_in(self) -> Login:
        """Logs in and returns the session. Raises UsageError, LoginFailed or another DaemonError."""
        if self.kind == "odoo":
            return self._odoo()
        configured = str(self._known.get("base_url", "")) or api_of(self.kind)
        place = Place(self.kind, self._origin("login_url"), self._origin("base_url") or configured)
        known = self._client[0]
        question = _CLIENT[self.kind].format(redirect=f"http://localhost:{self.ask.option('port')}/callback")
        client = self.ask.text("client_id", question, default=known)
        secret = self._secret() or (self._client[1] if client == known else "")
        if self.kind == "business_central":
            return self._entra(place, client, secret)
        return self._browser(place, client, secret)

    def _browser(self, place: Place, client: str, secret: str) -> Login:
        redirect = ""
        if self.kind == "quickbooks":
            secret = secret or self.ask.text("client_secret", "Its client secret", hidden=True)
            redirect = self.ask.text("redirect", "Its redirect URI (https, as registered)")
        browser = BrowserLogin(place, (client, secret), redirect, self.ask.option("port"))
        if redirect or self.ask.option("no_browser"):
            _say(f"Open this address in a browser, log in, and agree:\n\n  {browser.address}\n")
            final = self.ask.line("Paste the address that the browser ends at, even if it shows no page")
            return run_async(partial(browser.finish, final))

        def ready() -> None:
            _say(f"Log in, and agree, at this address:\n\n  {browser.address}\n")
            if self.ask.on_terminal and _has_screen() and webbrowser.open(browser.address):
                _say("It was opened in your browser. Waiting for the login there.")
            else:
                _say("Waiting. If your browser is on another machine, stop this and begin again with --no-browser.")

        return run_async(partial(browser.wait, ready))

    def _entra(self, place: Place, client: str, secret: str) -> Login:
        place = replace(
            place,
            tenant=self.ask.text("tenant", "Directory (tenant) id", default=str(self._known.get("tenant_id", ""))),
            environment=self.ask.text(
                "environment", "Environment", default=str(self._known.get("environment", "production"))
            ),
        )
        if secret:
            return run_async(partial(log_in_as_app, place, (client, secret)))

        def show(code: str, address: str) -> None:
            _say(f"On any device, open {address} and type the code {code}. Waiting for that.")

        return run_async(partial(log_in_by_device, place, client, show))

    def _odoo(self) -> Login:
        """Logs in to Odoo. On a terminal it asks again after a failure, with the previous answers as defaults."""
        said = {name: str(self._known.get(name, "")) for name in ("base_url", "database", "user")}
        while True:
            try:
                return self._odoo_once(said)
            except (DaemonError, click.UsageError) as error:
                if not self.ask.on_terminal or self.ask.option("key_file"):
                    raise
                _say(f"{error}\nOnce more, please; Ctrl-C ends this.\n")

    def _odoo_once(self, said: dict[str, str]) -> Login:
        typed = self.ask.text("base_url", "Address of Odoo", default=said["base_url"])
        origin = _origin(typed if typed == self.ask.option("base_url") else _site(typed))
        said["base_url"] = origin
        shown = run_async(partial(odoo_databases, origin)) if not self.ask.option("database") else []
        if len(shown) > 1:
            _say(f"Databases there: {', '.join(shown)}")
        default = said["database"] or (shown[0] if len(shown) == 1 else "")
        question = "Database" if shown else "Database (Odoo does not list them; who runs it knows its name)"
        said["database"] = self.ask.text("database", question, default=default)
        said["user"] = self.ask.text("user", "User (e-mail)", default=said["user"])
        key = self._key() or self.ask.text("key", "API key of that user (Preferences, Account Security)", hidden=True)
        return run_async(partial(log_in_to_odoo, origin, said["database"], said["user"], key))

    def company(self, login: Login) -> Organisation:
        """Returns the company whose books are used. A configured company is kept if the login may use it.

        Raises UsageError if the login may use no company, or not the configured one.
        """
        found = run_async(login.organisations)
        if not found:
            raise click.UsageError("this login may use no company: log in as a user who may, and agree to one")
        names = {"xero": ("tenant", "tenant_id"), "quickbooks": ("realm", "realm_id")}
        option, key = names.get(self.kind, ("company", "company"))
        if self._known.get(key) and not self.ask.option(option):
            return picked(str(self._known[key]), f"[ledger.{self.kind}] {key}", found)
        chosen = self.ask.choice(option, "Company", found)
        assert chosen
        _say(f"Company: {chosen.name}")
        return chosen

    def chosen(self, login: Login, company: Organisation) -> dict[str, Any]:
        """Returns the accounts or journals by currency. Business Central has one journal, because its lines name no
        currency.
        """
        found = run_async(partial(login.accounts, company))
        if self.kind == "business_central":
            return {"journal": self._journal(found)}
        return {"journals" if self.kind == "odoo" else "accounts": self._accounts(found)}

    def _accounts(self, found: Sequence[Account]) -> dict[str, str]:
        if given := self.ask.option("account"):
            return dict(_given(one, found) for one in given)
        if not found:
            raise click.UsageError("there is no bank account to pay from in these books yet")
        chosen = {}
        for currency in sorted({one.currency for one in found}):
            here = [one for one in found if one.currency == currency]
            if len(here) > 1 and not self.ask.on_terminal:
                raise click.UsageError(f"several accounts: give --account {currency}=ID, one of\n{listed(here)}")
            one = self.ask.choice("", f"Pay {currency} from", here, may_be_none=self.ask.on_terminal)
            if one:
                chosen[currency] = one.id
        return chosen

    def _journal(self, found: Sequence[Account]) -> str:
        chosen = self.ask.choice("journal", "Payment journal", found)
        if chosen is None:
            raise click.UsageError("there is no payment journal in these books yet")
        return chosen.id

    def _origin(self, name: str) -> str:
        given = self.ask.option(name)
        return _origin(given) if given else ""

    def _secret(self) -> str:
        return _credential(self.ask.option("client_secret_file"), "--client-secret-file")

    def _key(self) -> str:
        return _credential(self.ask.option("key_file"), "--key-file")


def _given(text: str, found: Sequence[Account]) -> tuple[str, str]:
    currency, separator, wanted = text.partition("=")
    currency = currency.strip().upper()
    if not separator:
        raise click.UsageError(f"--account {text}: write CURRENCY=ID, as EUR=…")
    one = picked(wanted.strip(), f"--account {currency}: account", found)
    if one.currency != currency:
        raise click.UsageError(f"--account {text}: {one.name} is kept in {one.currency}")
    return currency, one.id


def _site(text: str) -> str:
    """Returns the origin of an address that a person copied from a browser or typed without its scheme."""
    parts = urlsplit(text if "://" in text else f"https://{text}")
    return f"{parts.scheme}://{parts.netloc}"


def _origin(text: str) -> str:
    try:
        return read_origin(text.rstrip("/"))
    except (Clash, ValueError) as error:
        raise click.UsageError(f"{text}: {error}") from None


def _credential(path: Path | None, flag: str) -> str:
    try:
        return read_credential(path) if path else ""
    except CredentialError as error:
        raise click.UsageError(f"{flag} {path}: {error}") from None


def _has_screen() -> bool:
    """Returns whether a graphical browser can open. Without a screen, the browser could be one that takes this
    terminal.
    """
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _say(text: str) -> None:
    echo(text, err=True)
    sys.stderr.flush()
