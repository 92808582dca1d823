"""Free memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

_MAKES_HOLES = """
from pathlib import Path
from precoro_daemon.adapters.host.heap import give_back_free_pages

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

blocks = [bytearray(16_000) for _ in range(4_000)]
kept = blocks[::50]  # holes that the C library returns by itself lie at the end of its heap
del blocks
before = resident()
give_back_free_pages()
print(before - resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_holes_in_the_heap_are_given_back() -> None:
    said = subprocess.run([sys.executable, "-c", _MAKES_HOLES], capture_output=True, text=True, check=True)
    assert int(said.stdout) > 30_000_000
