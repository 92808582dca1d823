"""ledger: logs in to an accounting system, shows the state of the login, logs out"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precoro_daemon.cli.ledger_rows import dismiss, reread
from precoro_daemon.cli.output import wants_json
from precoro_daemon.cli.running import NO_CALL, called, config_option, echo, echo_data, load, run_async
from precoro_daemon.errors import DaemonError, LoginNeeded
from precoro_daemon.values.humanize import many, moment

if TYPE_CHECKING:
    from precoro_daemon.app.ledger_config import Section
    from precoro_daemon.app.ledger_login import Login
    from precoro_daemon.payments.ports.login_directory import Organisation
    from precoro_daemon.status.grants import GrantStatus

KINDS = ("xero", "quickbooks", "business_central", "odoo")
_path = click.Path(path_type=Path)
_file_option = click.option("--grant-file", type=_path, metavar="FILE", help="Default: beside the configuration.")
_kind_argument = click.argument("kind", required=False, type=click.Choice(KINDS, case_sensitive=False))
_LOGIN_OPTIONS = (
    click.option("--client-id", metavar="ID", help="Of the app that you registered with the vendor."),
    click.option("--client-secret-file", type=_path, metavar="FILE", help="Its secret, where it has one."),
    click.option("--redirect", metavar="URL", help="QuickBooks: the redirect URI of the app."),
    click.option("--no-browser", is_flag=True, help="Print the address, and take the one the browser ends at."),
    click.option(
        "--port", type=click.IntRange(1, 65_535), default=8765, show_default=True, help="Xero: listens there."
    ),
    click.option("--tenant", metavar="ID", help="Xero: the organisation. Business Central: the directory."),
    click.option("--realm", metavar="ID", help="QuickBooks: the company that must be chosen at Intuit."),
    click.option("--environment", metavar="NAME", help="Business Central: default production."),
    click.option("--company", metavar="ID", help="Business Central and Odoo: by id or name."),
    click.option("--database", metavar="NAME", help="Odoo."),
    click.option("--user", metavar="NAME", help="Odoo: whose API key it is."),
    click.option("--key-file", type=_path, metavar="FILE", help="Odoo: the API key."),
    click.option("--account", multiple=True, metavar="CUR=ID", help="Account or journal for a currency; repeatable."),
    click.option("--journal", metavar="CODE", help="Business Central: the payment journal."),
    click.option("--name", metavar="NAME", help="Of the ledger in the journal of payments, for ever."),
    click.option("--base-url", metavar="URL", help="Odoo's address; elsewhere for a sandbox."),
    click.option("--login-url", metavar="URL", help="Another address to log in at, for a rehearsal."),
    _file_option,
)


@click.group()
@config_option
@click.pass_context
def ledger(ctx: click.Context, config: Path | None) -> None:
    """The accounting system that payments are kept in step with: log in, read it again."""
    ctx.obj = config or ctx.obj


for _command in (reread, dismiss):
    ledger.add_command(_command)


def _with_login_options(command: Any) -> Any:
    for option in reversed(_LOGIN_OPTIONS):
        command = option(command)
    return command


@ledger.command()
@click.argument("kind", type=click.Choice(KINDS, case_sensitive=False))
@_with_login_options
@config_option
@click.pass_obj
def login(parent: Path | None, /, kind: str, config: Path | None, **given: Any) -> None:
    """Log in, choose company and accounts, and keep both. Sends no payment: `payments arm` lets that begin."""
    from precoro_daemon.app.ledger_config import Section, configured
    from precoro_daemon.app.ledger_grants import GRANTED, known_client
    from precoro_daemon.app.ledger_login import keep
    from precoro_daemon.cli.ledger_dialogue import Dialogue
    from precoro_daemon.cli.questions import Questions

    path = config or parent or Path("config.toml")
    known = configured(path).get(kind)
    known = known if isinstance(known, dict) else {}
    target = _target(path, kind, known, given).absolute()
    client = known_client(target) if kind in GRANTED else ("", "")
    dialogue = Dialogue(kind, Questions(given), known, client)
    session = dialogue.log_in()
    company = dialogue.company(session)
    chosen = {} if known else dialogue.chosen(session, company)
    if kind in GRANTED or not given["key_file"]:
        run_async(partial(keep, session, target, company.name))
    echo(f"Logged in for {company.name}; what that needs is in {target}, for its owner alone.")
    if os.geteuid() == 0 and target.stat().st_uid == 0:
        option = "--key-file" if kind == "odoo" else "--grant-file"
        echo(f"It belongs to root, and a service that runs as another user cannot read it: see {option}.", err=True)
    _write(path, Section(kind, given["name"] or kind, session.values(company.id, target) | chosen), known)
    _say_matches(path, session, company)
    _say_what_is_next(called(config or parent))


def _say_what_is_next(program: str) -> None:
    echo(
        "\nNext: set `enabled = true` in [mark_invoices_paid] (payments of the books go to Precoro), in"
        " [export_payments] (the reverse), or in both.\n"
        f"Then see what {program} check and {program} payments plan say.\n"
        f"No payment is sent before {program} payments arm."
    )


def _target(path: Path, kind: str, known: Mapping[str, Any], given: Mapping[str, Any]) -> Path:
    """Returns the file for the grant or, for Odoo, for its API key."""
    from precoro_daemon.app.ledger_config import configured_file
    from precoro_daemon.app.ledger_grants import default_grant_file

    option, key = ("key_file", "token_file") if kind == "odoo" else ("grant_file", "grant_file")
    return given[option] or configured_file(path, known, key) or default_grant_file(path, kind)


def _write(path: Path, section: Section, known: Mapping[str, Any]) -> None:
    """Adds the section to the configuration, or prints it if something there would have to be replaced."""
    from precoro_daemon.app.ledger_config import add

    if known:
        echo(f"{path} has [ledger.{section.kind}] already, and is left as it is.")
    elif backup := add(path, section):
        echo(f"{path} got the section [ledger]; what it was before is in {backup}:\n\n{section.text}")
    else:
        echo(f"Put this into {path}, in place of any [ledger] that is there:\n\n{section.text}")


def _say_matches(path: Path, session: Login, company: Organisation) -> None:
    """Prints how many open bills match an invoice of Precoro's. This is only a hint: the login succeeds without
    it.
    """
    from precoro_daemon.app.ledger_login import count_matches

    try:
        bills = run_async(partial(session.open_bills, company))
        settings = load(path, spare=NO_CALL)
        found = run_async(partial(count_matches, settings, bills))
    except DaemonError as error:
        echo(f"Whether open bills match Precoro's invoices cannot be said yet: {error}")
    else:
        by = settings.mark_invoices_paid.match_by
        echo(f"{found} of {many(len(bills), 'open bill')} match an invoice of Precoro's by {by}.")


@ledger.command()
@_kind_argument
@_file_option
@config_option
@click.pass_obj
def status(parent: Path | None, kind: str | None, grant_file: Path | None, config: Path | None) -> None:
    """Show whose login it is, and until when it is good. Asks nobody."""
    from precoro_daemon.app.ledger_grants import status_of

    kind, file = _granted(config or parent, kind, grant_file)
    found = status_of(file, kind)
    if wants_json():
        echo_data(json.dumps({**asdict(found), "file": str(file)}))
    else:
        for line in _lines(found, file, time.time()):
            echo(line)
        if found.lost or found.is_ending(time.time()):
            echo(f"run            {called(config or parent)} ledger login {kind}")
    if found.lost:
        sys.exit(LoginNeeded.exit_code)


def _lines(found: GrantStatus, file: Path, now: float) -> Iterator[str]:
    yield f"{found.kind}: {found.whose or 'nobody'}, {file}"
    if found.since:
        yield f"logged in      {moment(found.since)}"
    if found.refreshed_at:
        yield f"last refresh   {moment(found.refreshed_at)}"
    if found.lost:
        yield f"log in         {found.lost}"
        return
    if found.token_until:
        yield f"access token   until {moment(found.token_until)}, renewed before"
    if found.ends_at:
        yield f"grant          until {moment(found.ends_at)}, prolonged by each refresh"
    if found.trouble:
        yield f"last error     {found.trouble}"
    if found.is_ending(now):
        yield "log in again   soon, or let the service run: nobody has used the grant for long"


@ledger.command()
@_kind_argument
@_file_option
@config_option
@click.pass_obj
def logout(parent: Path | None, kind: str | None, grant_file: Path | None, config: Path | None) -> None:
    """Give the grant back, and delete its file. Payments wait for the next login."""
    from precoro_daemon.app.ledger_login import log_out

    kind, file = _granted(config or parent, kind, grant_file)
    if not file.exists():
        echo(f"there is no grant {file}")
        return
    refused = run_async(partial(log_out, file))
    echo(f"{file} is deleted")
    if refused:
        echo(f"{kind} did not take the grant back: {refused}; take the app's access away there", err=True)


def _granted(config: Path | None, kind: str | None, file: Path | None) -> tuple[str, Path]:
    """Returns the kind of the ledger and the file of its grant. Raises UsageError."""
    from precoro_daemon.app.ledger_config import configured, configured_file
    from precoro_daemon.app.ledger_grants import GRANTED, default_grant_file

    path = config or Path("config.toml")
    present = configured(path)
    kind = kind or str(present.get("kind", ""))
    if kind not in GRANTED:
        raise click.UsageError(_no_grant(kind))
    section = present.get(kind)
    named = configured_file(path, section if isinstance(section, dict) else {}, "grant_file")
    return kind, (file or named or default_grant_file(path, kind)).absolute()


def _no_grant(kind: str) -> str:
    """Returns why there is no grant to show or to give back."""
    from precoro_daemon.app.ledger_grants import GRANTED

    if kind in ("", "none"):
        return f"no [ledger] is configured; name the kind that you logged in to: {', '.join(GRANTED)}"
    if kind == "odoo":
        return "of odoo there is no login to show: its key is in a file, and `check` tells whether Odoo takes it"
    return f"a ledger of the kind {kind} needs no login; those that do are {', '.join(GRANTED)}"
