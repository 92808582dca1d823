"""the program's commands by name: listed without being imported, imported when called

Importing all of them takes longer than showing the help.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click

from precoro_daemon.cli.output import with_output_options
from precoro_daemon.cli.running import Commands, terminal_columns


class Entry(NamedTuple):
    """A command in the help.

    module  the module of this room that defines it
    about   what the help says of it
    called  its name in the module, if it differs from the command's
    """

    module: str
    about: str
    called: str | None = None


ENTRIES: Mapping[str, Entry] = {
    "alerts": Entry("deployment", "Print alert rules for Prometheus."),
    "check": Entry("commands", "Look for mistakes in the configuration, and try the key."),
    "completion": Entry("completion", "Print or install what a shell needs to complete commands."),
    "config": Entry("config", "All settings, their schema, units for systemd."),
    "dashboards": Entry("deployment", "Print a dashboard for Grafana."),
    "demo": Entry("rehearsals", "Mirror a made-up company and show the result."),
    "deployment": Entry("deployment", "Write what Docker Compose or Kubernetes needs."),
    "doctor": Entry("doctor", "See by a few calls how Precoro treats this account."),
    "estimate": Entry("commands", "Show how many calls and days a first mirror will take."),
    "export": Entry("export", "Write collections of the mirror into files."),
    "exports": Entry("exports", "See what was pushed to receivers, push it anew, drop it."),
    "files": Entry("files", "Check and list the attached files."),
    "fleet": Entry("fleet", "Serve many companies, and show how they all are."),
    "health": Entry("service", "Check a running service."),
    "help": Entry("help", "Show a page of the manual.", "manual"),
    "history": Entry("history", "Show what runs brought and what failed, day by day."),
    "init": Entry("init", "Set up a company and write its configuration."),
    "items": Entry("items", "Keep a supplier's items as a file or a table has them."),
    "ledger": Entry("ledger", "The accounting system: log in, read it again."),
    "man": Entry("man", "Write a page for man(1) for each command."),
    "notify": Entry("notify", "Try the messages that reach people."),
    "payments": Entry("payments", "See, decide and allow payments between ledger and Precoro."),
    "run": Entry("service", "Keep everything up to date, until stopped by a signal."),
    "sandbox": Entry("rehearsals", "Serve a local Precoro with a made-up company."),
    "state": Entry("state", "Back up the state, bring it back, or move it."),
    "status": Entry("commands", "Show how fresh the mirror is, and what needs a person."),
}


_ABOUT = "Keep a faithful local mirror of a company's Precoro data, inside its limits."

_HELP_OPTIONS = (
    ("--once, --all", "Bring the mirror up to date, exit; list it all."),
    ("--only JOB, --for 30m", "With --once: this job alone; stop within a time."),
    ("--config FILE", "The TOML file, if it is not ./config.toml."),
    ("-q, -v, --json", "Print what failed (--quiet), --verbose, or JSON."),
    ("-h, --help, --version", "Show this, or the version, and exit."),
)

_EXIT_CODES = """\
Exit codes: 0 done, 1 unexpected, 2 usage, 3 some failed, 4 settings, 5 login,
6 quota, 7 held by another, 130 interrupted. See precoro-daemon help running."""


class Program(Commands):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return list(ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        entry = ENTRIES.get(cmd_name)
        if entry is None:
            return None
        command = getattr(import_module(f"precoro_daemon.cli.{entry.module}"), entry.called or cmd_name)
        assert isinstance(command, click.Command)
        return with_output_options(cmd_name, command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggests the closest command for an unknown name. click would only know the commands that were imported."""
        name = args[0]
        if name not in ENTRIES and not name.startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            meant = [f"Did you mean {one!r}?" for one in get_close_matches(name, ENTRIES, n=1)]
            ctx.fail(" ".join((f"No such command {name!r}.", *meant)))
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """Sets the terminal's width. To find it, click would import a module that imports three kinds of
        compression.
        """
        ctx.terminal_width = ctx.terminal_width or max(50, min(terminal_columns(), 80) - 2)
        return super().get_help(ctx)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the help on one screen of 80 columns and 40 lines. Each command's own help explains its options."""
        self.format_usage(ctx, formatter)
        formatter.write(f"{_ABOUT}\n")
        with formatter.section("Options"):
            formatter.write_dl(_HELP_OPTIONS)
        self.format_commands(ctx, formatter)
        formatter.write(f"{_EXIT_CODES}\n")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.about) for name, entry in ENTRIES.items()])
