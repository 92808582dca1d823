"""what root makes beside a state belongs to its owner, whose service has to open it"""

from __future__ import annotations

import os
from pathlib import Path


def hand_over(path: Path, state: Path) -> None:
    """As SQLite does with the files it makes itself. Where there is no state yet, its directory tells the owner."""
    if os.geteuid() != 0:
        return
    owner, present = (state if state.exists() else state.parent).stat(), path.lstat()
    if (owner.st_uid, owner.st_gid) != (present.st_uid, present.st_gid):
        # Never through a symbolic link, which the owner may have put there: it would give away what it points to.
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
