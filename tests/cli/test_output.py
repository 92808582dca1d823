"""--quiet, --verbose and --json: every command that tells something has them, and they mean the same everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from precoro_daemon.cli import main
from precoro_daemon.cli.output import is_verbose, output_options, with_output_options
from precoro_daemon.cli.running import Commands, echo, make_console
from precoro_daemon.cli.sheets import Sheet

WITHOUT = {
    "init",
    "run",
    "completion",
    "config",
    "man",
    "help",
    "alerts",
    "dashboards",
    "deployment",
    "sandbox",
    "demo",
}


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


def test_every_command_that_tells_something_has_them() -> None:
    for path, command in [((), main), *leaves(main)]:
        options = [name for param in command.params for name in param.opts]
        found = [options.count(name) for name in ("--quiet", "--verbose", "--json")]
        assert found == ([0, 0, 0] if WITHOUT & {*path} else [1, 1, 1]), path


@pytest.mark.parametrize("words", [["--json", "history"], ["history", "--json"]])
def test_a_command_that_fails_says_so_in_its_document_too(tmp_path: Path, words: list[str]) -> None:
    done = CliRunner().invoke(main, [*words, "--config", str(tmp_path / "none.toml")])
    assert done.exit_code == 4
    found = json.loads(done.stdout)
    assert (found["exit_code"], found["said"]) == (4, [])
    assert "there is no such file" in found["error"]
    assert "there is no such file" in done.stderr


def told(*words: str) -> Result:
    @click.group(cls=Commands, invoke_without_command=True)
    def program() -> None: ...

    @program.command()
    def tell() -> None:
        echo("two\nlines")
        echo("a warning", err=True)
        make_console().print("of a console")
        table = Sheet(("name", "none"), sparse=("none",))
        table.add("a", "")
        make_console().print(table)
        echo(f"verbose: {is_verbose()}")

    program.params += output_options()
    with_output_options("tell", tell)
    return CliRunner().invoke(program, words)


def test_quiet_leaves_what_is_wrong() -> None:
    done = told("tell", "--quiet")
    assert (done.stdout, done.stderr) == ("", "a warning\n")


def test_json_is_the_only_thing_on_the_standard_output() -> None:
    done = told("tell", "--json")
    said = json.loads(done.stdout)["said"]
    assert said[:3] == ["two", "lines", "of a console"]
    assert done.stderr == "a warning\n"


def test_verbose_leaves_no_column_out() -> None:
    assert "none" not in told("tell").stdout
    assert "none" in told("tell", "-v").stdout
    assert "verbose: True" in told("-v", "tell").stdout
