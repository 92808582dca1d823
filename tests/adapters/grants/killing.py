"""Real processes that share a grant and are killed; what must hold then is read from the disk and the vendor."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from precoro_daemon.adapters.grants.grant import Grant
from precoro_daemon.adapters.grants.grant_file import GrantFile
from tests.adapters.grants.authority import CLIENT, Authority, serving

ROOT = Path(__file__).resolve().parents[3]
DRIVER = [sys.executable, "-m", "tests.adapters.grants.mortal"]


@dataclass
class Story:
    """driver  starts one process after the other; rival: another one, whose processes are not killed
    killed  how often; lost: how often nobody could have saved the grant
    """

    authority: Authority
    url: str
    path: Path
    driver: subprocess.Popen[str]
    rival: subprocess.Popen[str]
    killed: int = 0
    lost: int = 0

    def log_in(self) -> None:
        token = self.authority.new_grant()
        GrantFile(self.path).write(Grant("xero", f"{self.url}/token", CLIENT, refresh_token=token))

    def run(self, step: int = 0, *, killed_by: str = "", after: float | None = None) -> str:
        """One process: killed at its step, by the server at that stage, or after so many seconds."""
        pid = _started(self.driver, step)
        self.authority.kill = (killed_by, pid) if killed_by else None
        if after is not None:
            time.sleep(after)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        outcome = _line(self.driver)
        self.authority.kill = None
        self.killed += outcome == "killed"
        return outcome

    def _on_disk(self) -> Iterator[str]:
        for path in (self.path, self.path.with_name(f".{self.path.name}.partial")):
            with suppress(FileNotFoundError, ValueError):
                yield json.loads(path.read_bytes().rstrip(b"\0"))["refresh_token"]

    def go_on(self) -> None:
        """The next process gets a token, unless nobody could: no token that stood on the disk is good any more.

        Asked afterwards, as a request of the killed process may still have been on its way."""
        left = [*self._on_disk()]
        outcome = self.run()
        if outcome != "token":
            assert outcome == "lost", outcome
            assert [token for token in left if self.authority.good.get(token, 0.0) > time.time()] == []
            self.lost += 1
            self.log_in()
            assert self.run() == "token"


def _started(driver: subprocess.Popen[str], step: int = 0) -> int:
    """The id of its next process."""
    assert driver.stdin
    driver.stdin.write(f"{step}\n")
    driver.stdin.flush()
    return int(_line(driver))


def _line(driver: subprocess.Popen[str]) -> str:
    assert driver.stdout
    return driver.stdout.readline().strip()


@contextmanager
def story(folder: Path, grace: float, lasts: float = -1.0) -> Iterator[Story]:
    """Its tokens have run out as soon as they are given, unless they last, so that each process refreshes."""
    authority = Authority(grace=grace, lasts=lasts)
    path = folder / "xero-grant.json"
    command = [*DRIVER, str(path)]
    with (
        serving(authority) as url,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as rival,
    ):
        told = Story(authority, url, path, driver, rival)
        told.log_in()
        yield told


def at_every_step(folder: Path, grace: float) -> Story:
    """Killed at the first step, the second, and so on until a process lives through all of its own."""
    with story(folder, grace) as told:
        step = 1
        while told.run(step) == "killed":
            told.go_on()
            step += 1
        for stage in ("asked", "rotated", "answered"):
            told.run(killed_by=stage)
            told.go_on()
        return told


def side_by_side(folder: Path, times: int) -> Story:
    """A service and a run beside it, which need a token at the same moment, again and again."""
    with story(folder, grace=0.0, lasts=1800.0) as told:
        file = GrantFile(told.path)
        for number in range(1, times + 1):
            for process in (told.driver, told.rival):
                _started(process)
            assert (_line(told.driver), _line(told.rival)) == ("token", "token")
            assert told.authority.refreshes == number, "one asked the vendor, and the other took what that one got"
            grant = file.read()
            assert grant is not None
            file.write(replace(grant, access_token=""))  # it has run out
        return told


def at_random(folder: Path, grace: float, seed: int, times: int = 40) -> Story:
    draw = random.Random(seed)
    with story(folder, grace) as told:
        for _ in range(times):
            if grace:  # without one, the killed process may take the rival's grant with it
                _started(told.rival)
            told.run(after=draw.random() ** 2 * 0.3)
            assert not grace or _line(told.rival) == "token"
            told.go_on()
        return told
