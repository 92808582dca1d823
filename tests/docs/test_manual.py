"""The manual: what the code owns is as the code has it, what it names is there, and all of it is shipped."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hatchling.builders.wheel import WheelBuilder

from precoro_daemon.adapters.state.views import described_views
from precoro_daemon.cli import main
from tests.docs.generate import MANUAL, PARTS, ROOT, filled, pages

README = ROOT / "README.md"
TOPICS = [page.stem for page in pages()]
ALL = [README, *pages()]
_FENCE = re.compile(r"```.*?```", re.DOTALL)


def help_on(*topic: str) -> Result:
    return CliRunner().invoke(main, ["help", *topic])


def known_tests() -> set[str]:
    texts = (path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for text in texts for name in re.findall(r"^ *(?:async )?def (test_\w+)", text, re.MULTILINE)}


def guarantees() -> Iterator[tuple[int, str]]:
    for number, text in re.findall(r"^### G(\d+)\. (.*?)(?=^##|\Z)", _text("guarantees"), re.DOTALL | re.MULTILINE):
        yield int(number), text


def _text(topic: str) -> str:
    return (MANUAL / f"{topic}.md").read_text("utf-8")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_what_the_code_owns_is_as_the_code_has_it(page: Path) -> None:
    """When this fails, run `make docs`."""
    assert page.read_text("utf-8") == filled(page.read_text("utf-8"))


def test_every_part_that_the_code_owns_is_shown_once() -> None:
    shown = re.findall(r"<!-- generated: ([a-z ]+) -->", "".join(map(_text, TOPICS)))
    assert sorted(shown) == sorted(PARTS)


def test_guarantees_are_numbered_and_each_names_the_tests_that_hold_it() -> None:
    known = known_tests()
    numbers = []
    for number, text in guarantees():
        numbers.append(number)
        held = re.findall(r"`(test_\w+)`", text.split("*Held by*")[1])
        assert held, number
        assert [name for name in held if name not in known] == []
    assert numbers == list(range(1, len(numbers) + 1))


def test_pages_refer_to_guarantees_that_there_are() -> None:
    known = {number for number, _ in guarantees()}
    for page in pages():
        assert {int(number) for number in re.findall(r"\bG(\d+)\b", page.read_text("utf-8"))} <= known, page.stem


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.stem)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.stem)
def test_blocks_say_their_language_and_toml_can_be_read(page: Path) -> None:
    text = page.read_text("utf-8")
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        assert language
        if language == "toml":
            tomllib.loads(block)
    assert text.count("```") % 2 == 0


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.stem)
def test_every_name_in_the_text_is_one_that_the_code_has(page: Path) -> None:
    prose = _FENCE.sub("", page.read_text("utf-8"))
    spans = re.findall(r"`([^`]+)`", prose)
    named = {name for span in spans for name in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", span)}
    assert sorted(name for name in named if name.removeprefix("precoro_daemon_") not in _source()) == []


def test_the_design_names_files_that_there_are() -> None:
    rows = re.findall(
        r"^\|[^|]*\| `([a-z_/]+(?:\.py)?)`( \(new\))?", _text("design").split("## Where")[1], re.MULTILINE
    )
    paths = {path: bool(new) for path, new in rows if "/" in path}
    assert len(paths) > 12
    assert {path: not (ROOT / "precoro_daemon" / path).exists() for path in paths} == paths


@cache
def _source() -> str:
    trees = (
        (ROOT / "precoro_daemon").rglob("*"),
        (ROOT / "tests").rglob("*.py"),
        (ROOT / "precoro_daemon/docs/systemd").iterdir(),
    )
    kinds = {".py", ".sql", ".toml", ".yml", ".service"}
    columns = (column.name for columns in described_views().values() for column in columns)
    return "".join(path.read_text("utf-8") for path in chain(*trees) if path.suffix in kinds) + " ".join(columns)


def test_the_readme_leads_to_every_topic() -> None:
    assert sorted(re.findall(r"^\| \[(\w+)\]", README.read_text("utf-8"), re.MULTILINE)) == TOPICS


def test_help_lists_the_topics_with_a_line_each() -> None:
    lines = help_on().stdout.splitlines()
    assert [line.split()[0] for line in lines] == TOPICS
    assert all(re.fullmatch(r"\w+ +[A-Z].+\.", line) and len(line) <= 120 for line in lines)


@pytest.mark.parametrize("topic", TOPICS)
def test_help_shows_each_topic_whole_and_without_marks(topic: str) -> None:
    told = help_on(topic)
    assert told.exit_code == 0
    assert "<!--" not in told.stdout
    assert [line for line in _text(topic).splitlines() if line and line[:4] != "<!--"] == [
        line for line in told.stdout.splitlines() if line
    ]


def test_on_a_terminal_a_topic_is_paged() -> None:
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "precoro_daemon", "help", "quota"]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, env=os.environ | {"PAGER": "grep -c ."}):
        os.close(terminal)
        assert os.read(screen, 1024).split() == [_count("quota")]
    os.close(screen)


def _count(topic: str) -> bytes:
    """What `grep -c .` says of it."""
    return str(len([line for line in help_on(topic).stdout.splitlines() if line])).encode()


def test_an_unknown_topic_is_wrong_usage_and_names_those_there_are() -> None:
    told = help_on("../__init__")
    assert told.exit_code == 2
    assert ", ".join(TOPICS) in " ".join(told.stderr.split())


def test_pages_and_pictures_are_shipped() -> None:
    shipped = {Path(file.path) for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {path for path in MANUAL.iterdir() if path.suffix in {".md", ".svg", ".png"}} <= shipped
    assert all(path.stat().st_size < 150_000 for path in MANUAL.iterdir())
