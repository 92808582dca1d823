"""a command that root starts acts as the state's owner, so that this user's files cannot mislead root"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from precoro_daemon.errors import StoreUnusable

_ROOT = 0


def act_as_owner(*paths: Path) -> None:
    """Switches this process to the user who owns these files, or their directories if they do not exist. Blocking.

    Does nothing unless root calls it, or if the owner cannot reach a file: systemd shows the directories of
    dynamic users
    only inside the service. Raises StoreUnusable if several users own parts of the path.
    """
    if os.geteuid() != _ROOT:
        return
    owners: dict[int, tuple[int, Path]] = {}
    for path in paths:
        owners |= {one.st_uid: (one.st_gid, path) for one in _on_the_way(path) if one.st_uid != _ROOT}
    if len(owners) > 1:
        who = " and ".join(sorted(map(_name, owners)))
        what = " and ".join(sorted({str(path) for _, path in owners.values()}))
        raise StoreUnusable(f"{what} belongs to {who}, so root leaves it alone. Run this as the service's user.")
    for user, (group, _) in owners.items():
        if all(_is_reached(path.parent, user) for path in paths):
            _become(user, group)


def _on_the_way(path: Path) -> Iterator[os.stat_result]:
    """Yields the directory, the file, and the target if the file is a link."""
    for status_of, where in (
        (os.stat, path.parent),
        (os.lstat, path),
        (os.stat, path),
        (os.stat, path.resolve().parent),
    ):
        try:
            yield status_of(where)
        except (FileNotFoundError, NotADirectoryError):
            continue


def _is_reached(directory: Path, user: int) -> bool:
    os.seteuid(user)
    try:
        return os.access(directory, os.R_OK | os.X_OK, effective_ids=True)
    finally:
        os.seteuid(_ROOT)


def _become(user: int, group: int) -> None:
    """Changes the real, effective and saved ids, for good."""
    try:
        known = pwd.getpwuid(user)
    except KeyError:
        os.setgroups([group])
    else:
        group = known.pw_gid
        os.initgroups(known.pw_name, group)
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
