"""the terminal on which a service was started: is it still there?"""

from __future__ import annotations

import os
import signal


class ControllingTerminal:
    """Where there is one, its end is the end of the service, unless SIGHUP was ignored from the beginning (nohup)."""

    def __init__(self) -> None:
        self._counts = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _is_there()
        self._streams = [number for number in (0, 1, 2) if os.isatty(number)]
        self._is_lost = False

    def is_gone(self) -> bool:
        """If so, nothing is read or written there any more."""
        if not (self._is_lost or (self._counts and not _is_there())):
            return False
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in self._streams:
            os.dup2(nowhere, number)
        os.close(nowhere)
        return True

    def lose(self) -> None:
        """It cannot be written any more, and nobody has said so yet."""
        if self._counts and not self._is_lost:
            self._is_lost = True
            os.kill(os.getpid(), signal.SIGHUP)


def _is_there() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
