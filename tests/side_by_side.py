"""pytest --workers=N: this process collects the tests, and N forks of it run them.

Whoever starts workers anew has each of them import and collect everything again: ten seconds of CPU a worker, and all
of them at the same time. A fork begins with its first test.

Tests come in groups (`group_of`): those of a file, those that need the same server, those that mostly wait. A worker
takes a whole group, so a file's fixtures and a server are made once. What waits begins first, then what needs a
server; when no group is left, a worker takes half of what another one has still before it. Each has one test ahead,
because pytest takes down after a test what the next one does not need.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import signal
import sys
import traceback
import warnings
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

import pytest

SERVERS = {"postgres": "postgresql", "mariadb": "mysql", "s3": "s3"}
"""Fixtures that start one, each with what is in the names of tests that ask for it by a parameter."""

_PR_SET_PDEATHSIG = 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--workers", type=int, default=0, metavar="N", help="forks of this process that run the tests")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """None: pytest itself runs them, one after the other, or says what could not be collected."""
    count = session.config.getoption("workers")
    if not count or session.testsfailed or session.config.option.collectonly:
        return None
    _terminal(session.config).showfspath = False  # the files of all workers would take turns
    _Run(session).through(count)
    return True


def _terminal(config: pytest.Config) -> Any:
    return config.pluginmanager.getplugin("terminalreporter")


def groups_of(items: Sequence[pytest.Item]) -> list[deque[int]]:
    """Their numbers."""
    groups: dict[str, deque[int]] = {}
    for number, item in enumerate(items):
        groups.setdefault(group_of(item), deque()).append(number)
    first = ["waits", *SERVERS]
    return [groups.pop(name) for name in first if name in groups] + list(groups.values())


def group_of(item: pytest.Item) -> str:
    if item.get_closest_marker("waits"):
        return "waits"
    fixtures = getattr(item, "fixturenames", ())
    for fixture, word in SERVERS.items():
        if fixture in fixtures or word in item.name:
            return fixture
    return item.nodeid.partition("::")[0]


@dataclass
class _Worker:
    """sent: tests that it was told to run, of which the first one runs · ahead: its own, of which it knows nothing"""

    pid: int
    sent: deque[int] = field(default_factory=deque)
    ahead: deque[int] = field(default_factory=deque)


class _Run:
    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._groups = deque(groups_of(session.items))
        self._workers: dict[Connection, _Worker] = {}
        self._begun = 0

    def through(self, count: int) -> None:
        try:
            if forked := sys.modules.get("tests.system.forked"):
                forked.parent()  # one for all workers
            for _ in range(count):
                self._begin()
            while self._workers:
                for connection in wait(list(self._workers)):
                    assert isinstance(connection, Connection)
                    self._hear(connection)
                self._stop_if_told()
        finally:
            for worker in self._workers.values():
                os.kill(worker.pid, signal.SIGKILL)
                os.waitpid(worker.pid, 0)

    def _begin(self) -> None:
        ours, theirs = Pipe()
        factory: Any = self._session.config._tmp_path_factory  # type: ignore[attr-defined]
        folder = factory.getbasetemp() / f"worker{self._begun}"
        self._begun += 1
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            pid = os.fork()  # the one other thread is of pyarrow's allocator, which provides for it
        if not pid:
            for connection in (ours, *self._workers):
                connection.close()
            _work(self._session, theirs, str(folder))
        theirs.close()
        worker = self._workers[ours] = _Worker(pid)
        self._send_next(ours, worker)
        if worker.sent:
            self._send_next(ours, worker)

    def _send_next(self, connection: Connection, worker: _Worker) -> None:
        """None ends it, once it has run what it was sent."""
        if not worker.ahead:
            worker.ahead = self._groups.popleft() if self._groups else self._half_of_another()
        number = worker.ahead.popleft() if worker.ahead else None
        with suppress(ConnectionError):  # it is dead, which is heard next
            connection.send(number)
        if number is not None:
            worker.sent.append(number)

    def _half_of_another(self) -> deque[int]:
        theirs = max((worker.ahead for worker in self._workers.values()), key=len)
        return deque(reversed([theirs.pop() for _ in range((len(theirs) + 1) // 2)]))

    def _hear(self, connection: Connection) -> None:
        worker, config = self._workers[connection], self._session.config
        try:
            kind, told = connection.recv()
        except (EOFError, ConnectionError):
            self._end(connection)
            return
        match kind:
            case "report":
                report = config.hook.pytest_report_from_serializable(config=config, data=told)
                config.hook.pytest_runtest_logreport(report=report)
                if report.failed:  # a run may be long, and not come to its end
                    _terminal(config).write_line(f" {report.nodeid}")
            case "ran":
                worker.sent.popleft()
                self._send_next(connection, worker)
            case "broke":
                raise RuntimeError(told)

    def _end(self, connection: Connection) -> None:
        """As it was told to, or by itself: then the test that it ran has failed, and another one takes its place."""
        worker = self._workers.pop(connection)
        connection.close()
        code = os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1])
        if not worker.sent:
            assert code == 0, f"a worker ended with {code}"
            return
        item = self._session.items[worker.sent.popleft()]
        told = f"its worker ended with {code} while this test ran"
        report = pytest.TestReport(item.nodeid, item.location, {}, "failed", told, "call")
        self._session.config.hook.pytest_runtest_logreport(report=report)
        if left := worker.sent + worker.ahead:
            self._groups.appendleft(left)
        self._begin()

    def _stop_if_told(self) -> None:
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)
        if self._session.shouldstop:
            raise self._session.Interrupted(self._session.shouldstop)


def _work(session: pytest.Session, connection: Connection, folder: str) -> None:
    """The life of a worker; does not return."""
    if sys.platform == "linux":  # none outlives the run
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    atexit._clear()  # what is for the end of the whole run
    code = 1
    try:
        _separate(session.config, folder)
        session.config.pluginmanager.register(_Reports(session.config, connection))
        _run_what_comes(session, connection)
        session.config._ensure_unconfigure()  # collects what nobody awaited or closed
        atexit._run_exitfuncs()
        code = 0
    except BaseException:  # noqa: BLE001 - the one who started the run shows it
        connection.send(("broke", traceback.format_exc()))
    finally:
        os._exit(code)


def _separate(config: pytest.Config, folder: str) -> None:
    """What a worker must not have in common with others: the terminal, the file of captured output, its folder."""
    config.pluginmanager.unregister(name="terminalreporter")
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()
    capture.start_global_capturing()
    config.option.basetemp = folder
    config._tmp_path_factory = pytest.TempPathFactory.from_config(config, _ispytest=True)  # type: ignore[attr-defined]


class _Reports:
    def __init__(self, config: pytest.Config, connection: Connection) -> None:
        self._config, self._connection = config, connection

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._connection.send(("report", told))


def _run_what_comes(session: pytest.Session, connection: Connection) -> None:
    number: int | None = connection.recv()
    while number is not None:
        following: int | None = connection.recv()
        item = session.items[number]
        after = None if following is None else session.items[following]
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        connection.send(("ran", number))
        number = following
