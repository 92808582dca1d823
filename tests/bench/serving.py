"""The sandbox in a process of its own on the server's core, seen from outside."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.processes import ROOT, python


@dataclass(frozen=True)
class Server:
    """A running sandbox, questioned and steered by its remote control."""

    url: str
    token: str
    email: str

    @property
    def credentials(self) -> dict[str, str]:
        return {"PRECORO_TOKEN": self.token, "PRECORO_EMAIL": self.email}

    def ask(self, path: str, method: str = "GET", wish: Any = None) -> Any:
        body = None if wish is None else json.dumps(wish).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox{path}", body, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


@contextmanager
def serving(**options: Any) -> Iterator[Server]:
    """A sandbox with these options until the block ends."""
    command = python("-m", "tests.bench.sandbox_process", json.dumps(options))
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield Server(**json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.communicate()
