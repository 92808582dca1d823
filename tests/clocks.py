"""Processes whose clock is wrong by minutes: a library in C that stands before the system's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static time_t ahead;

__attribute__((constructor)) static void begin(void) { ahead = atol(getenv("CLOCK_AHEAD_S")); }

int clock_gettime(clockid_t clock, struct timespec *at) {
    int failed = ((int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime"))(clock, at);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += ahead;
    return failed;
}

int gettimeofday(struct timeval *at, void *zone) {
    int failed = ((int (*)(struct timeval *, void *))dlsym(RTLD_NEXT, "gettimeofday"))(at, zone);
    if (!failed) at->tv_sec += ahead;
    return failed;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


def compiler() -> str | None:
    return shutil.which("cc")


def wrong_clock(directory: Path, ahead: int) -> Mapping[str, str]:
    """The environment of a process whose wall clock is so many seconds ahead. The library is kept in `directory`."""
    library = directory / "wrong_clock.so"
    if not library.exists():
        program = compiler()
        assert program is not None, "no C compiler on this machine"
        build = [program, "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", str(library), "-ldl"]
        subprocess.run(build, input=_SOURCE.encode(), check=True)
    return os.environ | {"LD_PRELOAD": str(library), "CLOCK_AHEAD_S": str(ahead)}
