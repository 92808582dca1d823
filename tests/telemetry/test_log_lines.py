"""What is written, in which form, and under which names."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

import precoro_daemon
from precoro_daemon.telemetry import EVENTS, UndeclaredEvent, get_logger, set_up
from precoro_daemon.telemetry import _bridge as bridge


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """structlog and the root logger belong to the process; leave both as they were."""
    root = logging.getLogger()
    before, handlers, level = structlog.get_config(), list(root.handlers), root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    set_up("info", "auto", secrets=["hunter2"], stream=stream)
    return stream


def test_one_object_a_line_time_level_and_event_first(stream: io.StringIO):
    get_logger().info("run_started", job="take_census", rows=3, share=0.5, name="Größe", none=None)
    (line,) = _lines(stream)
    assert list(line) == ["timestamp", "level", "event", "job", "rows", "share", "name", "none"]
    assert (line["level"], line["event"], line["name"]) == ("info", "run_started", "Größe")
    assert datetime.fromisoformat(line["timestamp"]).tzinfo == UTC
    assert line["timestamp"].endswith("Z")


def test_what_is_below_the_level_is_not_written(stream: io.StringIO):
    log = get_logger()
    log.debug("detail_saved")
    log.warning("detail_failed")
    assert [line["event"] for line in _lines(stream)] == ["detail_failed"]


def test_fields_bound_to_a_job_are_on_each_of_its_lines(stream: io.StringIO):
    with structlog.contextvars.bound_contextvars(job="mirror_collections"):
        get_logger().info("scan_started")
    get_logger().info("scan_finished")
    assert [line.get("job") for line in _lines(stream)] == ["mirror_collections", None]


@pytest.mark.parametrize("form", ["json", "console", "auto"])
def test_an_undeclared_event_is_an_error(form: str):
    set_up("info", form, secrets=[], stream=io.StringIO())
    with pytest.raises(UndeclaredEvent, match="run_begun"):
        get_logger().info("run_begun")


def test_before_the_set_up_names_are_checked_and_nothing_is_written(capfd: pytest.CaptureFixture[str]):
    get_logger().info("run_started")
    with pytest.raises(UndeclaredEvent):
        get_logger().info("run_begun")
    assert capfd.readouterr() == ("", "")


def test_a_terminal_gets_lines_for_people():
    for form, stream, for_people in [
        ("auto", Terminal(), True),
        ("console", io.StringIO(), True),
        ("json", Terminal(), False),
    ]:
        set_up("info", form, secrets=[], stream=stream)
        get_logger().info("run_started", job="take_census")
        assert stream.getvalue().startswith("{") != for_people
        assert "run_started" in stream.getvalue()


def test_colours_are_for_terminals():
    for stream, colourful in [(Terminal(), True), (io.StringIO(), False)]:
        set_up("info", "console", secrets=[], stream=stream)
        get_logger().info("run_started")
        assert ("\x1b[" in stream.getvalue()) == colourful


def test_libraries_speak_through_the_same_log_from_warnings_on(stream: io.StringIO):
    logging.getLogger("aiohttp.client").info("hello")
    logging.getLogger("aiohttp.client").warning("slow: %s", "hunter2")
    logging.getLogger("asyncio").error("lost")
    assert [(line["level"], line["event"], line["logger"], line["message"]) for line in _lines(stream)] == [
        ("warning", "library_warned", "aiohttp.client", "slow: [redacted]"),
        ("error", "library_warned", "asyncio", "lost"),
    ]


def test_a_library_that_misuses_logging_is_heard_too(stream: io.StringIO):
    record = logging.LogRecord("lib", logging.CRITICAL, "", 0, "%d", ("no number",), None)
    bridge().handle(record)
    (line,) = _lines(stream)
    assert (line["level"], line["message"]) == ("error", "%d ('no number',)")


def test_a_library_is_heard_once_however_often_the_log_is_set_up(stream: io.StringIO):
    set_up("info", "json", secrets=[], stream=stream)
    logging.getLogger("asyncio").warning("slow")
    assert len(_lines(stream)) == 1


def test_an_exception_is_one_line_of_json(stream: io.StringIO):
    both = ExceptionGroup("both", [ValueError("hunter2"), KeyError("x")])
    get_logger().error("run_finished", exc_info=both)
    (line,) = _lines(stream)
    assert line["level"] == "error"
    assert "ValueError: [redacted]" in line["exception"]
    assert "KeyError: 'x'" in line["exception"]


def test_what_orjson_refuses_is_written_all_the_same(stream: io.StringIO):
    get_logger().info("run_started", many=2**70, half="\ud800")
    (line,) = _lines(stream)
    assert (line["many"], line["half"]) == (2**70, "\ud800")


@pytest.mark.parametrize("closed", [False, True])
def test_a_log_that_cannot_be_written_stops_nothing(closed: bool):
    stream = Broken()
    if closed:
        stream.close()
    set_up("info", "json", secrets=[], stream=stream)
    assert get_logger().info("run_started") is None


def _logged_names(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    for node in ast.walk(ast.parse(text)) if "log." in text else ():
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Name(id="log" | "_log"), attr="debug" | "info" | "warning" | "error" | "exception"
                ),
                args=[ast.Constant(value=str(name))],
            ):
                yield name


def test_every_event_in_the_program_is_declared():
    package = Path(precoro_daemon.__file__).parent
    logged = {name for path in package.rglob("*.py") for name in _logged_names(path)}
    assert logged
    assert logged <= set(EVENTS)


def test_every_event_is_named_for_what_happened_and_explained():
    for name, meaning in EVENTS.items():
        assert name == name.lower()
        assert name.rsplit("_", 1)[-1].endswith(("ed", "spent", "reread")) or name == "census_inconclusive"
        assert meaning
        assert "\n" not in meaning


def test_every_line_that_is_written_is_counted_and_no_other():
    told: list[tuple[str, str]] = []
    set_up("info", "json", secrets=[], stream=io.StringIO(), counted=lambda level, event: told.append((level, event)))
    get_logger().info("run_started")
    get_logger().debug("scan_started")
    logging.getLogger("asyncio").error("broken")
    assert told == [("info", "run_started"), ("error", "library_warned")]
