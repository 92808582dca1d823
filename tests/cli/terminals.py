"""The program on a terminal of its own, which waits for what it says before it answers."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE_S = 60.0


def _hear_interrupts() -> None:
    """A shell has what it starts in the background ignore them, and what that starts does so too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    def __init__(self, command: list[str], folder: Path, **variables: str) -> None:
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "COLUMNS": "200", **variables}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "precoro_daemon", *command],
            cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=_hear_interrupts,  # noqa: PLW1509 - it starts before any thread of the test could hold a lock
        )  # fmt: skip
        os.close(theirs)
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
            self.process.send_signal(signal.SIGINT)
            until = time.monotonic() + 2.0
            while time.monotonic() < until:
                if not self._read():
                    return self.process.wait(PATIENCE_S)
        raise AssertionError(f"it does not end:\n{self.shown}")

    def end(self) -> int:
        end = time.monotonic() + PATIENCE_S
        while self._read():
            assert time.monotonic() < end, f"it does not end:\n{self.shown}"
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)


@contextmanager
def terminal(command: list[str], folder: Path, **variables: str) -> Iterator[Terminal]:
    one = Terminal(command, folder, **variables)
    try:
        yield one
    finally:
        one.close()
