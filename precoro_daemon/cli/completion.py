"""completion: the scripts with which a shell completes commands and options"""

from __future__ import annotations

import os
from pathlib import Path

import click

from precoro_daemon.cli.running import echo

_PROGRAM = "precoro-daemon"
_VARIABLE = "_PRECORO_DAEMON_COMPLETE"
_XDG_DATA, _XDG_CONFIG = ("XDG_DATA_HOME", ".local/share"), ("XDG_CONFIG_HOME", ".config")
_SCRIPT_PATHS = {
    "bash": (_XDG_DATA, "bash-completion/completions/precoro-daemon"),
    "zsh": (_XDG_DATA, "zsh/site-functions/_precoro-daemon"),
    "fish": (_XDG_CONFIG, "fish/completions/precoro-daemon.fish"),
}
"""Where each shell looks for completion scripts by default. zsh does so only if the directory is in its fpath."""


@click.command()
@click.argument("shell", type=click.Choice(sorted(_SCRIPT_PATHS)))
@click.option("--install", is_flag=True, help="Write it to where the shell finds it, in the home directory.")
@click.pass_context
def completion(ctx: click.Context, shell: str, install: bool) -> None:
    """Print or install what SHELL needs to complete commands and options."""
    script = _script(ctx.find_root().command, shell)
    if not install:
        echo(script, nl=False)
        return
    path = _place(shell)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script, "utf-8")
    echo(f"wrote {path}")
    echo("it works in new shells" + (f", if fpath has {path.parent} before compinit runs" if shell == "zsh" else ""))


def _script(program: click.Command, shell: str) -> str:
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    made = kind(program, {}, _PROGRAM, _VARIABLE)
    return str(made.source_template % made.source_vars()).strip() + "\n"


def _place(shell: str) -> Path:
    (variable, usual), name = _SCRIPT_PATHS[shell]
    return Path(os.environ.get(variable) or Path.home() / usual) / name
