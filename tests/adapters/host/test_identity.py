"""What root starts acts as the owner of the state, and a link beside the state leads nowhere."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from precoro_daemon.adapters.state.sqlite.holder import held
from precoro_daemon.errors import StoreHeld, StoreUnusable

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

OWNER = 65_534
OTHER = 65_533

ACT = """
import os, sys
from pathlib import Path
from precoro_daemon.adapters.host.identity import act_as_owner
act_as_owner(*map(Path, sys.argv[1:]))
print(*os.getresuid(), *os.getresgid(), *os.getgroups())
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of the owner's in one that everybody may pass; those of pytest are for root alone."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        inner = Path(directory, "var")
        inner.mkdir()
        os.chown(inner, OWNER, OWNER)
        yield inner


def acted(*paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", ACT, *map(str, paths)], capture_output=True, text=True, check=False)


def test_the_owner_of_a_new_state_is_that_of_its_directory_and_there_is_no_way_back(place: Path) -> None:
    known = acted(place / "state.db").stdout.split()
    assert (known[:3], "0" in known) == ([str(OWNER)] * 3, False)


def test_where_root_owns_all_nothing_changes(tmp_path: Path) -> None:
    assert acted(tmp_path / "state.db").stdout.split()[:3] == ["0"] * 3


def test_a_state_in_a_directory_of_root_belongs_to_its_own_owner(place: Path) -> None:
    os.chown(place, 0, 0)
    (place / "state.db").touch()
    os.chown(place / "state.db", OWNER, OWNER)
    assert acted(place / "state.db").stdout.split()[:3] == [str(OWNER)] * 3


def test_a_link_to_what_root_owns_gives_nobody_root(place: Path) -> None:
    (place / "state.db").symlink_to("/etc/precoro-of-root.db")
    assert acted(place / "state.db").stdout.split()[:3] == [str(OWNER)] * 3


def test_what_belongs_to_two_users_is_refused(place: Path) -> None:
    (place / "state.db").touch()
    os.chown(place / "state.db", OTHER, OTHER)
    done = acted(place / "state.db")
    assert done.returncode == 1
    assert "belongs to nobody and user 65533, so root leaves it alone" in done.stderr


def test_who_serves_several_states_is_the_owner_of_all_or_nobody(place: Path) -> None:
    beside = place.parent / "beside"
    beside.mkdir()
    assert acted(place / "state.db", beside / "of-root.db").stdout.split()[:3] == [str(OWNER)] * 3
    os.chown(beside, OTHER, OTHER)
    done = acted(place / "state.db", beside / "state.db")
    assert done.returncode == 1
    assert f"{beside}/state.db and {place}/state.db belongs to nobody and user 65533" in done.stderr


def test_a_directory_that_only_root_reaches_keeps_root_as_root(place: Path) -> None:
    place.parent.chmod(0o700)
    assert acted(place / "state.db").stdout.split()[:3] == ["0"] * 3


def test_root_writes_into_no_file_that_a_lock_leads_to(place: Path) -> None:
    precious = place.parent / "only-roots"
    precious.write_text("precious")
    for lead in (Path.symlink_to, Path.hardlink_to):
        lock = place / "state.db.lock"
        lead(lock, precious)
        with pytest.raises(StoreUnusable, match=r"symbolic link|second name"), held(place / "state.db"):
            pass
        lock.unlink()
    os.mkfifo(place / "state.db.lock")
    with pytest.raises(StoreUnusable, match="no regular file"), held(place / "state.db"):
        pass
    assert precious.read_text() == "precious"


def test_a_lock_of_a_third_user_is_refused(place: Path) -> None:
    (place / "state.db.lock").touch()
    os.chown(place / "state.db.lock", OTHER, OTHER)
    with pytest.raises(StoreUnusable, match="belongs to user 65533"), held(place / "state.db"):
        pass


def test_a_lock_is_for_its_owner_alone_also_one_of_an_earlier_version(place: Path) -> None:
    for _ in range(2):
        with held(place / "state.db"):
            status = (place / "state.db.lock").stat()
            assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, OWNER)
        (place / "state.db.lock").chmod(0o644)


def test_who_holds_a_lock_without_writing_its_name_is_not_called_by_a_former_one(place: Path) -> None:
    with held(place / "state.db"):
        pass
    lock = place / "state.db.lock"
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    lock.write_text(lock.read_text().replace(str(os.getpid()), ended.stdout.decode().strip()))
    flock = shutil.which("flock")
    assert flock
    with subprocess.Popen([flock, "-x", str(lock), "sh", "-c", "echo held; read line"], stdin=-1, stdout=-1) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreHeld, match="held by another process, which did not write its name"):
            held(place / "state.db").__enter__()
        other.communicate(b"\n")
