"""Starts the program by forking a process that has imported it: Python's start costs ten times what a command does.

    python -m tests.system.forking DESCRIPTOR

DESCRIPTOR is a socket. Each message on it is a start: JSON with the module that is the program, its arguments, the
directory and the environment, and three descriptors: the program's output, its errors, and a pipe on which the number
of the process is told, and in the end its exit code. Where its output is a terminal, that is all its streams, and its
own. Ends when the other side of the socket is closed.
"""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import termios
import threading
import time
from contextlib import suppress
from typing import Any

from pydantic import BaseModel

import precoro_daemon
from precoro_daemon.adapters.state.sqlite.opening import empty_state

MESSAGE_BYTES = 1 << 18
_PR_SET_PDEATHSIG = 1


def main(descriptor: int) -> None:
    preload()
    if start := _serve(descriptor):
        _become(*start)


def preload() -> None:
    """What each fork would do again otherwise."""
    for module in pkgutil.walk_packages(precoro_daemon.__path__, "precoro_daemon."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    importlib.import_module("anyio._backends._asyncio")  # which anyio itself imports when it runs
    empty_state()
    _build_sections(BaseModel)
    gc.collect()
    gc.freeze()


def _build_sections(model: type[BaseModel]) -> None:
    """The rules of the configuration's sections, which the program builds for those that it is given."""
    for each in model.__subclasses__():
        if each.__module__.startswith("precoro_daemon."):
            each.model_rebuild()
        _build_sections(each)


def _serve(descriptor: int) -> tuple[dict[str, Any], int, int] | None:
    """Returns in each child, with what it must become, and in the end without."""
    running: dict[int, tuple[int, int]] = {}
    with socket.socket(fileno=descriptor) as starts:
        while True:
            ready = select.select([descriptor, *running], [], [])[0]
            for ended in running.keys() & ready:
                child, told = running.pop(ended)
                _tell(told, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
                _close(ended, told)
            if descriptor not in ready:
                continue
            message, streams, *_ = socket.recv_fds(starts, MESSAGE_BYTES, 3)
            if not message:
                return None
            output, errors, told = streams
            if not (child := os.fork()):
                _close(told, *running, *(pipe for _, pipe in running.values()))
                return json.loads(message), output, errors
            _close(output, errors)
            _tell(told, child)
            running[os.pidfd_open(child)] = (child, told)


def _tell(pipe: int, number: int) -> None:
    with suppress(BrokenPipeError):  # nobody waits for it any more
        os.write(pipe, b"%d\n" % number)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _become(start: dict[str, Any], output: int, errors: int) -> None:
    if sys.platform == "linux":  # nothing that a failed test leaves running outlives the tests
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.isatty(output):
        _sit_at(output)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    _close(output, errors)
    os.chdir(start["directory"])
    os.environ.clear()
    os.environ.update(start["environment"])
    time.tzset()
    sys.argv[1:] = start["arguments"]
    code = 0
    try:
        runpy.run_module(start["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        code = end.code or 0
    _end(code)


def _end(code: int) -> None:
    """As Python ends, but for its look at every object of every module: they are the parent's, and each page of
    memory would be copied for that. What the program itself left unclosed is still told."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _sit_at(terminal: int) -> None:
    """As a shell's child does, whatever the tests themselves were started by."""
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    os.dup2(terminal, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lives
    for name, number in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, open(number, "w", buffering=1, encoding="utf-8", closefd=False))  # noqa: SIM115


if __name__ == "__main__":
    main(int(sys.argv[1]))
