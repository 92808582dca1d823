"""The program on a terminal of its own, which waits for what it says before it answers."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.system.forked import begin

PATIENCE_S = 60.0


class Terminal:
    def __init__(self, command: list[str], folder: Path, **variables: str) -> None:
        self._ours, theirs = pty.openpty()
        ended, told = os.pipe()
        begin(command, folder, {**os.environ, "COLUMNS": "200", **variables}, [theirs, theirs, told])
        os.close(theirs)
        os.close(told)
        self._told = os.fdopen(ended, buffering=1)
        self._pid = int(self._told.readline())
        self._code: int | None = None
        self.shown = ""
        self._seen = 0

    def expect(self, pattern: str) -> re.Match[str]:
        """What is shown after that which was expected before."""
        end = time.monotonic() + PATIENCE_S
        while not (match := re.compile(pattern).search(self.shown, self._seen)):
            assert time.monotonic() < end, self.shown
            assert self._read(), f"it ended without {pattern!r}:\n{self.shown}"
        self._seen = match.end()
        return match

    def type(self, text: str) -> None:
        os.write(self._ours, f"{text}\n".encode())

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], 0.2)[0]:
            return True
        with suppress(OSError):  # the other side is closed
            if piece := os.read(self._ours, 65_536):
                self.shown += piece.decode().replace("\r\n", "\n")
                return True
        return False

    def interrupt(self) -> int:
        """Ctrl-C, typed again if it came just before the program began to wait for an answer."""
        for _ in range(int(PATIENCE_S / 2)):
            os.kill(self._pid, signal.SIGINT)
            until = time.monotonic() + 2.0
            while time.monotonic() < until:
                if not self._read():
                    return self._wait()
        raise AssertionError(f"it does not end:\n{self.shown}")

    def end(self) -> int:
        end = time.monotonic() + PATIENCE_S
        while self._read():
            assert time.monotonic() < end, f"it does not end:\n{self.shown}"
        return self._wait()

    def _wait(self) -> int:
        if self._code is None:
            assert select.select([self._told], [], [], PATIENCE_S)[0], f"it does not end:\n{self.shown}"
            self._code = int(self._told.readline())
        return self._code

    def close(self) -> None:
        if self._code is None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._wait()
        self._told.close()
        os.close(self._ours)


@contextmanager
def terminal(command: list[str], folder: Path, **variables: str) -> Iterator[Terminal]:
    one = Terminal(command, folder, **variables)
    try:
        yield one
    finally:
        one.close()
