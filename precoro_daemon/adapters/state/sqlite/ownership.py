"""files that root creates beside a state go to the state's owner, whose service has to open them"""

from __future__ import annotations

import os
import pwd
from pathlib import Path


def hand_over(path: Path, state: Path) -> None:
    """Changes a file's owner, as SQLite does for the files it creates. Without a state, its directory shows the
    owner.
    """
    if os.geteuid() != 0:
        return
    owner, present = owner_of(state), path.lstat()
    if (owner.st_uid, owner.st_gid) != (present.st_uid, present.st_gid):
        # Never through a symbolic link, which the owner may have put there: it would give away what it points to.
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def hand_over_open(file: int, state: Path) -> None:
    """Does the same for an open file."""
    owner, present = owner_of(state), os.fstat(file)
    if os.geteuid() == 0 and (owner.st_uid, owner.st_gid) != (present.st_uid, present.st_gid):
        os.fchown(file, owner.st_uid, owner.st_gid)


def owner_of(state: Path) -> os.stat_result:
    return (state if state.exists() else state.parent).stat()


def user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
