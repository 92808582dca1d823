"""What systemd hears, on a real datagram socket."""

from __future__ import annotations

import os
import re
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from precoro_daemon.adapters.host.systemd import SystemdSupervisor, find_supervisor
from precoro_daemon.runtime.ports import Unsupervised


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    name = str(tmp_path / "notify") if request.param == "path" else f"@precoro-daemon-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        heard.settimeout(2)
        yield name, heard


def test_every_word_arrives_as_systemd_reads_it(manager: tuple[str, socket.socket]) -> None:
    name, heard = manager
    supervisor = find_supervisor(
        {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}
    )
    assert supervisor.watchdog_interval == 120
    supervisor.ready("all is well")
    supervisor.reloading()
    supervisor.stopping("bye")
    supervisor.status("two\nlines " + "x" * 500)
    supervisor.alive()
    said = [heard.recv(4096).decode() for _ in range(5)]
    assert said[0] == "READY=1\nSTATUS=all is well"
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=.+", said[1])
    assert said[2] == "STOPPING=1\nSTATUS=bye"
    assert said[3].startswith("STATUS=two lines xxx")
    assert len(said[3]) <= 7 + 200
    assert "\n" not in said[3]
    assert said[4] == "WATCHDOG=1"


@pytest.mark.parametrize("given", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_socket_nobody_is_told(given: dict[str, str]) -> None:
    assert isinstance(find_supervisor(given), Unsupervised)


@pytest.mark.parametrize(
    "given",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1"}],
)
def test_a_watchdog_that_is_not_ours_is_not_fed(given: dict[str, str]) -> None:
    assert find_supervisor({"NOTIFY_SOCKET": "/nowhere"} | given).watchdog_interval is None


def test_a_manager_that_is_gone_or_does_not_listen_holds_nothing_up(tmp_path: Path) -> None:
    SystemdSupervisor(str(tmp_path / "gone"), None).ready("nobody hears")
    full = tmp_path / "full"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(full))
        supervisor = SystemdSupervisor(str(full), None)
        for _ in range(5_000):
            supervisor.alive()


def drain(manager: socket.socket) -> None:
    while select.select([manager], [], [], 0)[0]:
        manager.recv(4096)


def test_the_last_word_is_said_again_when_there_was_no_room_for_it(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(2)
        other, supervisor = (SystemdSupervisor(str(tmp_path / "notify"), None) for _ in range(2))
        for _ in range(1_000):
            other.alive()
        supervisor.ready("all is well")
        supervisor.status("lost")
        drain(manager)
        supervisor.alive()
        assert manager.recv(4096) == b"READY=1\nWATCHDOG=1"
        supervisor.alive()
        assert manager.recv(4096) == b"WATCHDOG=1"


@pytest.mark.asyncio
async def test_it_may_be_told_from_the_event_loop(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        SystemdSupervisor(str(tmp_path / "notify"), None).alive()
        assert heard.recv(100) == b"WATCHDOG=1"
