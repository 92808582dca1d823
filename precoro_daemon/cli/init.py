"""init: asks for the values of a first configuration, tries them, and writes the files"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precoro_daemon.cli.running import called, config_option, echo, load, make_console, overwrite, run_async
from precoro_daemon.errors import DaemonError, StoreHeld, TemporaryError

if TYPE_CHECKING:
    from precoro_daemon.app.first_calls import Seen
    from precoro_daemon.cli.init_dialogue import Answers, Dialogue
    from precoro_daemon.cli.questions import Questions

_DATA_OF = {"none": None, "systemd": Path("/var/lib/precoro-daemon"), "compose": Path("/data")}
"""The directory for the data of each kind of service. None means beside the configuration."""

_path = click.Path(path_type=Path)


@click.command()
@click.option("--region", metavar="NAME", help="international or us.")
@click.option("--base-url", metavar="URL", help="Instead of the region: the address of a sandbox.")
@click.option("--email", metavar="E-MAIL", help="Of the Precoro user whose key it is.")
@click.option("--key-file", type=_path, metavar="FILE", help="Holds the API key; - is standard input.")
@click.option("--survey/--no-survey", default=None, help="See what the key may read, for a call or two a list.")
@click.option("--collections", metavar="NAMES", help="all, or names with commas.")
@click.option("--service", metavar="KIND", help="Write the files of a service: systemd or compose.")
@click.option("--files", metavar="DIR", help="Where attached files are to be kept; none by default.")
@click.option("--every", metavar="TIME", help="How often lists are scanned; auto by default.")
@click.option("--webhooks", metavar="ADDRESS", help="Where webhooks come in, as 127.0.0.1:8470; none by default.")
@click.option("--public-url", metavar="URL", help="Their address from outside.")
@click.option("--ledger", metavar="KIND", help="Log in to xero, quickbooks, business_central or odoo afterwards.")
@click.option("--time-scale", type=click.FloatRange(1), default=1.0, help="Of a sandbox that runs faster.")
@click.option("--force", is_flag=True, help="Replace what is there; it is kept beside the new files.")
@config_option
@click.pass_obj
def init(parent: Path | None, /, config: Path | None, **given: Any) -> None:
    """Set up a company: ask for its key, try it, show what it may see, and write the configuration.

    Nothing is written before the last question is answered. Without a terminal, options say it all.
    """
    from tempfile import TemporaryDirectory

    from precoro_daemon.cli.init_dialogue import LEDGERS, SERVICES, Dialogue, refuse_wrong_options
    from precoro_daemon.cli.questions import Questions

    path = (config or parent or Path("config.toml")).absolute()
    ask = Questions(given)
    refuse_wrong_options(given, ask)
    replace = _may_replace(path, ask, force=given["force"])
    dialogue = Dialogue(ask, path.parent, given["time_scale"])
    with TemporaryDirectory() as folder:
        seen = _try_key(dialogue, Path(folder))
        if _wants_survey(given["survey"], ask):
            seen = _survey(dialogue, Path(folder), seen)
        readable = [name for name, found in seen.items() if isinstance(found, int)]
        dialogue.lists(readable, complete=len(readable) == len(seen))
        service = dialogue.one_of("service", "Files of a service", SERVICES)
        dialogue.extras(_DATA_OF[service])
        ledger = dialogue.one_of("ledger", "Accounting system to log in to", LEDGERS)
        _write(path, dialogue.found, service, replace=replace)
        if service == "none":
            _keep_calls(path, Path(folder))
    if ledger != "none":
        _log_in(path, ledger)
    _say_next(path, service, webhooks="apply_deliveries" in dialogue.found.values)


def _may_replace(path: Path, ask: Questions, *, force: bool) -> bool:
    """Returns whether existing files may be replaced. Raises UsageError without a terminal, and Abort on a "no"."""
    if force or not path.exists():
        return force
    if not ask.on_terminal:
        raise click.UsageError(f"{path} is there already; --force replaces it, and keeps it beside the new one")
    if not ask.confirm(f"{path} is there already. Replace it? It is kept beside the new one", default=False):
        raise click.Abort
    return True


def _try_key(dialogue: Dialogue, folder: Path) -> Seen:
    """Asks until Precoro accepts the key, with one call per attempt, and returns the result of that call.

    Raises Precoro's refusal if there is no terminal or if the person gives up.
    """
    from precoro_daemon.app.first_calls import measure_lists
    from precoro_daemon.mirror.rules.collections import COLLECTIONS

    while True:
        dialogue.access()
        settings = dialogue.found.settings
        try:
            seen = run_async(partial(measure_lists, settings, list(COLLECTIONS)[:1], folder, lambda _: None))
            for found in seen.values():
                if isinstance(found, TemporaryError):
                    raise found
        except DaemonError as error:
            if not dialogue.ask.on_terminal:
                raise
            echo(str(error), err=True)
            if not dialogue.ask.confirm("Answer these questions again?", default=True):
                raise
            dialogue.forget_access()
        else:
            echo(f"{settings.precoro.origin} accepts the key.", err=True)
            return seen


def _wants_survey(given: bool | None, ask: Questions) -> bool:
    if given is not None or not ask.on_terminal:
        return bool(given)
    return ask.confirm("See what this key may read? It takes a call or two for each of 25 lists", default=True)


def _survey(dialogue: Dialogue, folder: Path, seen: Seen) -> Seen:
    """Measures all other lists, prints what the first mirror will take, and returns the results of all lists."""
    from precoro_daemon.app.first_calls import estimate_first_mirror, measure_lists
    from precoro_daemon.cli import tables
    from precoro_daemon.cli.console import as_line
    from precoro_daemon.mirror.rules.collections import COLLECTIONS

    def say(name: str) -> None:
        if sys.stderr.isatty():
            overwrite(f"asking for {name.replace('_', ' ')}")

    settings, others = dialogue.found.settings, [name for name in COLLECTIONS if name not in seen]
    seen = {**seen, **run_async(partial(measure_lists, settings, others, folder, say))}
    if sys.stderr.isatty():
        overwrite()
    console = make_console()
    console.print(tables.estimate(estimate_first_mirror(settings, seen)))
    for name, found in seen.items():
        if not isinstance(found, int):
            console.print(as_line(f"{name}: {found}", style="yellow"))
    return seen


def _write(path: Path, answers: Answers, service: str, *, replace: bool) -> None:
    from precoro_daemon.app.first_files import first_files
    from precoro_daemon.app.new_files import write_together

    files = first_files(path, answers.values, answers.key_file, service, new_key=answers.new_key)
    kept = write_together(files, replace=replace)
    for file in files:
        echo(f"wrote {file.path}" + ("" if file.mode & 0o077 else ", for its owner alone"))
    for backup in kept:
        echo(f"kept {backup}")


def _keep_calls(path: Path, folder: Path) -> None:
    from precoro_daemon.app.first_calls import keep_calls

    settings = load(path)
    try:
        run_async(partial(keep_calls, settings, folder))
    except StoreHeld:
        echo("A service holds the state already; it does not count the calls that were made just now.", err=True)


def _log_in(path: Path, ledger: str) -> None:
    from precoro_daemon.cli.ledger import login

    login.main([ledger, "--config", str(path)], standalone_mode=False)


def _say_next(path: Path, service: str, *, webhooks: bool) -> None:
    program = "precoro-daemon" if path == Path("config.toml").absolute() else called(path)
    steps: Mapping[str, Mapping[str, str]] = {
        "none": {
            f"{program} --once": "bring the mirror up to date, then exit",
            f"{program} status": "how fresh it is, what is due, what needs a person",
            f"{program} run": "keep it up to date until it is stopped",
        },
        "systemd": {
            f"install -m 644 {path.parent}/precoro-daemon.service /etc/systemd/system/": "as root, and then:",
            "systemctl daemon-reload && systemctl enable --now precoro-daemon": "start it, now and at each boot",
        },
        "compose": {
            "make image": "in the program's directory: the image",
            f"docker compose --file {path.parent}/compose.yaml up --detach": "start it",
        },
    }
    echo("\nNext:")
    for command, meaning in steps[service].items():
        echo(f"  {command}\n      {meaning}")
    if webhooks:
        echo(f"  {program} status --webhook-url\n      the address to enter in Precoro for webhooks")
