"""Starts a command under the system calls that a unit file leaves it, as systemd would.

`python -m tests.system.jail UNIT COMMAND…`; needs systemd-analyze, libseccomp and Linux 6.3. What is forbidden fails
with EPERM, as in the unit.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_NO_NEW_PRIVILEGES, _NO_EXECUTABLE_MEMORY = 38, 65


def calls_left_by(unit: str) -> set[str]:
    """systemd adds @default to a list that begins with what is allowed; a ~ takes away."""
    left = _members("@default")
    for given in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        named = set().union(*(_members(word) for word in given.lstrip("~").split()))
        left = left - named if given.startswith("~") else left | named
    return left


def confinement(unit: str) -> Callable[[], None]:
    """What has to be called to be confined for good, together with all children. Raises OSError where none can be."""
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(_REFUSE)))
    for name in calls_left_by(unit):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number != -1:  # one that this machine does not have
            _demand(seccomp.seccomp_rule_add(rules, ctypes.c_uint32(_ALLOW), ctypes.c_int(number), ctypes.c_uint(0)))
    control = ctypes.CDLL(None).prctl

    def confine() -> None:
        _demand(control(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        if "\nMemoryDenyWriteExecute=yes\n" in unit:
            _demand(control(_NO_EXECUTABLE_MEMORY, 1, 0, 0, 0))
        _demand(seccomp.seccomp_load(rules))

    return confine


def _demand(result: int) -> None:
    if result:
        raise OSError(abs(result), "this machine cannot confine it")


def _members(word: str) -> set[str]:
    if not word.startswith("@"):
        return {word}
    said = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True)
    lines = [line.strip() for line in said.stdout.splitlines()[1:]]
    return set().union(*(_members(line) for line in lines if line and not line.startswith("#")))


if __name__ == "__main__":
    confinement(Path(sys.argv[1]).read_text("utf-8"))()
    os.execv(sys.argv[2], sys.argv[2:])
