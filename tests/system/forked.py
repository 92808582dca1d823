"""A process of the program that was forked from one that has imported it; see forking.py."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import anyio
from anyio import EndOfStream
from anyio.abc import ByteReceiveStream, Process

ROOT = Path(__file__).resolve().parents[2]
WATCHFUL = {"PYTHONWARNINGS": "default", "PYTHONFAULTHANDLER": "1"}
"""What development mode shows, without its debugging of asyncio, under which a program works four times as much."""

DEVELOPMENT = {"PYTHONDEVMODE": "1", "PYTHONMALLOC": "pymalloc"}
"""Development mode without its allocator, which takes a fifth of a start and watches over code in C; for one whole
run."""


def parent() -> socket.socket:
    return _parent()[0]


@cache
def _parent() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Ends with the tests: it reads from the other side of the socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 19)
    with theirs:
        command = [sys.executable, "-m", "tests.system.forking", str(theirs.fileno())]
        environment = os.environ | WATCHFUL | {"PYTHONPATH": str(ROOT)}
        # Its streams become the program's, and Python remembers of what kind they were: pipes.
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()], **pipes)

    def end() -> None:
        ours.close()
        process.communicate()

    atexit.register(end)
    return ours, process


def begin(
    arguments: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    descriptors: Sequence[int],
    module: str = "precoro_daemon",
) -> None:
    """`descriptors`: those that forking.py is given."""
    given = {
        "module": module, "arguments": arguments, "directory": str(directory), "environment": dict(environment),
    }  # fmt: skip
    socket.send_fds(parent(), [json.dumps(given).encode()], descriptors)


class Child:
    """A fork that runs a module, with what `subprocess.Popen` has of these names. What it says goes to `output`, or
    comes as `stdout`."""

    def __init__(self, module: str, *arguments: str, output: int | None = None) -> None:
        told, number = os.pipe()
        said, says = os.pipe()
        begin(arguments, ROOT, os.environ | WATCHFUL, [output or says, output or says, number], module)
        os.close(number)
        os.close(says)
        self.stdout = os.fdopen(said)
        self._told = os.fdopen(told)
        self.pid = int(self._told.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = int(self._told.readline())
            self._told.close()
            self.stdout.close()
        return self.returncode

    def send_signal(self, signal: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _Pipe(ByteReceiveStream):
    def __init__(self) -> None:
        self._read, self.write = os.pipe()
        self._stream = asyncio.StreamReader()

    async def open(self) -> None:
        os.close(self.write)
        protocol = asyncio.StreamReaderProtocol(self._stream)
        source = os.fdopen(self._read, "rb", buffering=0)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, source)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        if data := await self._stream.read(max_bytes):
            return data
        raise EndOfStream

    async def number(self) -> int:
        return int(await self._stream.readline())

    async def aclose(self) -> None:
        self._transport.close()
        await asyncio.sleep(0)  # the transport closes its file a turn later


class Forked(Process):
    stdin = stdout = stderr = returncode = None
    pid = 0

    def __init__(self) -> None:
        self.stdout, self.stderr, self._told = _Pipe(), _Pipe(), _Pipe()

    @classmethod
    async def start(cls, arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> Forked:
        self = cls()
        pipes = (self.stdout, self.stderr, self._told)
        begin(arguments, directory, environment, [pipe.write for pipe in pipes])
        for pipe in pipes:
            await pipe.open()
        try:
            self.pid = await self._told.number()
        except BaseException:
            for pipe in pipes:
                await pipe.aclose()
            raise
        self._end = asyncio.create_task(self._told.number())
        self._end.add_done_callback(self._ended)
        return self

    def _ended(self, end: asyncio.Task[int]) -> None:
        self.returncode = end.result()

    async def wait(self) -> int:
        return await asyncio.shield(self._end)

    def send_signal(self, signal: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True):  # a test that gives up leaves no pipe behind
            try:
                for pipe in (self.stdout, self.stderr):
                    await pipe.aclose()
                await self.wait()
            finally:  # the loop itself may end meanwhile
                await self._told.aclose()
