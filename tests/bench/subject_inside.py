"""Jobs, each timed from inside: `python -m tests.bench.subject_inside config.toml [job ...]`.

Without a name it is `mirror_collections` alone.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import anyio

from precoro_daemon.app.runs import Wish, run
from precoro_daemon.app.values import clock_for
from precoro_daemon.settings import load


def timed(config: str, job: str) -> dict[str, float]:
    settings = load(Path(config), os.environ)
    began, busy = time.perf_counter(), time.process_time()
    report = anyio.run(run, settings, clock_for(settings), Wish(only=job))
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - busy,
        "brought": report.brought,
    }


if __name__ == "__main__":
    jobs = sys.argv[2:] or ["mirror_collections"]
    found = {job: timed(sys.argv[1], job) for job in jobs}
    print(json.dumps(found | found[jobs[0]]))
