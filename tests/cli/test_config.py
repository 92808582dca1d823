"""What editors, shells and man(1) get: made from the settings and commands themselves, so that nothing drifts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator

from precoro_daemon.cli import main
from precoro_daemon.settings import file_keys
from precoro_daemon.settings.model import ANY_NAME
from precoro_daemon.settings.schema import schema
from tests.docs.generate import MANUAL

EXAMPLE = (MANUAL / "config.example.toml").read_text("utf-8")


def run(*command: str) -> str:
    done = CliRunner().invoke(main, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def complaints(text: str) -> list[str]:
    found = Draft7Validator(schema()).iter_errors(tomllib.loads(text))
    return [f"{'.'.join(map(str, one.path))}: {one.message}" for one in found]


def test_the_schema_has_every_key_of_the_file_and_no_secret() -> None:
    def keys(section: dict[str, Any], path: str) -> list[str]:
        if "items" in section:
            section = section["items"]
        if "additionalProperties" in section and "properties" not in section:
            name = ANY_NAME if path == "exports." else "<collection>"
            return keys(section["additionalProperties"], f"{path}{name}.")
        if "properties" not in section:
            return [path.removesuffix(".")]
        return [key for name, below in section["properties"].items() for key in keys(below, f"{path}{name}.")]

    assert set(keys(json.loads(run("config", "schema")), "")) == file_keys()


def test_the_schema_takes_the_example_with_every_key_in_force() -> None:
    assert complaints(EXAMPLE) == []
    assert complaints(re.sub(r"^# (\w+ = |\[[\w.\[\]]+$)", r"\1", EXAMPLE, flags=re.MULTILINE)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[limits]\nper_secnd = 1", "limits: Additional properties are not allowed ('per_secnd' was unexpected)"),
        ('[precoro]\nregion = "eu"', "precoro.region: 'eu' is not one of ['international', 'us']"),
        ("[payments]\nkill_switch = 5", "payments.kill_switch: 5 is not of type 'string'"),
        ("[mirror_collections.filters.invoces]", "mirror_collections.filters: 'invoces' is not one of"),
        ("[watch]\nhosts = {}", "watch.hosts: {} is not valid under any"),
    ],
)  # fmt: skip
def test_the_schema_sees_mistakes(text: str, said: str) -> None:
    assert any(one.startswith(said) for one in complaints(text)), complaints(text)


def test_the_schema_takes_each_form_of_a_value() -> None:
    text = (
        '[limits]\nper_day = 5\n[mirror_collections]\nevery = "5m"\noverlap = 90\ncollections = "invoices, taxes"\n'
    )
    assert complaints(f'{text}[fetch_attachments]\nmax_bytes = "1GiB"\n[take_census]\nevery = "7d"') == []


def test_the_example_is_the_file_that_is_shipped() -> None:
    assert run("config", "example") == EXAMPLE


def test_units_are_written_once(tmp_path: Path) -> None:
    run("config", "units", str(tmp_path))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        path.name: path.read_text() for path in (MANUAL / "systemd").iterdir()
    }
    again = CliRunner().invoke(main, ["config", "units", str(tmp_path)])
    assert (again.exit_code, "is there already" in again.stderr) == (4, True)


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", "data/bash-completion/completions/precoro-daemon"),
        ("zsh", "data/zsh/site-functions/_precoro-daemon"),
        ("fish", "config/fish/completions/precoro-daemon.fish"),
    ],
)
def test_completion_is_printed_or_installed(
    shell: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data", "config"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))
    script = run("completion", shell)
    assert f"_PRECORO_DAEMON_COMPLETE={shell}_complete" in script
    assert f"wrote {tmp_path / place}" in run("completion", shell, "--install")
    assert (tmp_path / place).read_text() == script


PROGRAM = Path(sys.executable).with_name("precoro-daemon")


@pytest.mark.skipif(shutil.which("bash") is None or not PROGRAM.exists(), reason="no bash, or it is not installed")
def test_bash_completes_commands() -> None:
    typed = "COMP_WORDS=(precoro-daemon payments re) COMP_CWORD=2; _precoro_daemon_completion precoro-daemon"
    script = f'PATH={PROGRAM.parent}:$PATH; {run("completion", "bash")}\n{typed}; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"repost", "review"}


def test_each_command_has_a_page(tmp_path: Path) -> None:
    run("man", str(tmp_path))

    def names(command: click.Command, name: str) -> list[str]:
        below = {}
        if isinstance(command, click.Group):
            ctx = click.Context(command)
            below = {word: command.get_command(ctx, word) for word in command.list_commands(ctx)}
        return [name, *(one for word, each in below.items() if each for one in names(each, f"{name}-{word}"))]

    assert {path.stem for path in tmp_path.iterdir()} == set(names(main, "precoro-daemon"))
    text = (tmp_path / "precoro-daemon.1").read_text()
    assert ".SH EXIT STATUS\n.TP\n.B 0\ndone\n" in text
    assert ".B \\-h, \\-\\-help\n" in text
    assert "See precoro\\-daemon\\-payments(1)." in text
    assert all(path.read_text().isascii() for path in tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff on this machine")
def test_the_pages_are_good_roff(tmp_path: Path) -> None:
    run("man", str(tmp_path))
    pages = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", *pages], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "precoro-daemon payments repost [OPTIONS] ID" in re.sub(".\x08|\x1b\\[[0-9;]*m", "", done.stdout)
