"""One lap of `mirror_collections`, timed from inside: `python -m tests.bench.subject_inside config.toml`."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import anyio

from precoro_daemon import wiring
from precoro_daemon.adapters.clock import RealClock
from precoro_daemon.settings import load

if __name__ == "__main__":
    settings = load(Path(sys.argv[1]), os.environ)
    began = time.perf_counter()
    report = anyio.run(wiring.run, settings, RealClock(), wiring.Wish(only="mirror_collections"))
    print(json.dumps({"seconds": time.perf_counter() - began, "brought": report.brought}))
