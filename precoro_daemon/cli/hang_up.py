"""detects that the terminal on which a service was started is gone"""

from __future__ import annotations

import os
import signal


class ControllingTerminal:
    """The controlling terminal of the process, if it has one.

    The service ends when its terminal ends, unless SIGHUP was ignored from the start (nohup).
    """

    def __init__(self) -> None:
        self._counts = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _is_there()
        self._streams = [number for number in (0, 1, 2) if os.isatty(number)]
        self._is_lost = False

    def is_gone(self) -> bool:
        """Returns whether the terminal is gone. If so, redirects the standard streams that used it to /dev/null."""
        if not (self._is_lost or (self._counts and not _is_there())):
            return False
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in self._streams:
            os.dup2(nowhere, number)
        os.close(nowhere)
        return True

    def lose(self) -> None:
        """Sends SIGHUP to this process the first time that the terminal cannot be written.

        Does nothing without a terminal, or if SIGHUP is ignored.
        """
        if self._counts and not self._is_lost:
            self._is_lost = True
            os.kill(os.getpid(), signal.SIGHUP)


def _is_there() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
