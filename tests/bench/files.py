"""Attached files to disk, hashed and made durable, beside what other tools take that do less."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from tests.bench.figures import Aim, Line, faster, no_slower, seconds
from tests.bench.processes import ROOT, SERVER_CORE, CpuTimes, Run, in_turn, medians, python, run
from tests.bench.serving import Server
from tests.bench.subject import LIFTED, command, write_config

_FILES = 500
_SIZE = 1_000_000
_LARGE = 2_000_000_000
_ROUNDS = 3
_FIRST = 1000
_REFERENCES = Path(__file__).with_name("references")


def many(folder: Path) -> Iterator[Line]:
    """500 files of 1 MB."""
    source = _make(folder / "source", {_FIRST + number: _SIZE for number in range(_FILES)})
    with _served(source) as origin:
        contest = _Contest(folder, origin, source)
        found = medians(in_turn(_ROUNDS, contest.contenders()))
        ours = found["ours"]
        yield Line("500 files of 1 MB", _pace(_FILES * _SIZE, ours), "", "")
        for name, aim in (("rclone", 1.0), ("aria2c", 1.0), ("bare loop", 0.7), ("durable loop", 0.8)):
            if name in found:
                yield faster(f"  times faster than {name}", ours, _DOES[name], found[name], aim)
        if "curl" in found:
            yield Line("  to look at", seconds(ours), _DOES["curl"], seconds(found["curl"]), found["curl"] / ours)
        cpu = contest.cpu.medians()
        yield no_slower("  CPU time", cpu["ours"], _DOES["bare loop"], cpu["bare loop"], 1.5)
        yield no_slower("  CPU time", cpu["ours"], _DOES["durable loop"], cpu["durable loop"], 1.2)
        yield Line("  peak memory", f"{contest.peak_mb:.0f} MB", "", "100 MB", contest.peak_mb / 100, Aim(1))


def large(folder: Path) -> Iterator[Line]:
    """One file of 2 GB."""
    source = _make(folder / "source", {_FIRST: _LARGE})
    with _served(source) as origin:
        contest = _Contest(folder, origin, source)
        known = contest.contenders(durable=_REFERENCES / "bare_durable_file.py")
        found = medians(in_turn(1, {name: known[name] for name in ("ours", "durable loop", "bare loop")}))
        ours, durable, bare = found["ours"], found["durable loop"], found["bare loop"]
        yield Line("one file of 2 GB", _pace(_LARGE, ours), "", "")
        yield faster("  times faster than durable loop", ours, _DOES["durable loop"], durable, 0.8)
        yield Line("  to look at", seconds(ours), _DOES["bare loop"], seconds(bare), bare / ours)
        yield Line("  peak memory", f"{contest.peak_mb:.0f} MB", "", "100 MB", contest.peak_mb / 100, Aim(1))


_DOES = {
    "rclone": "rclone, 10 transfers, no hash",
    "aria2c": "aria2c -j10, no hash",
    "bare loop": "bare aiohttp loop, no hash, no fsync",
    "durable loop": "bare aiohttp loop, hashed, fsync of each file and its folder",
    "curl": "curl -Z, no hash, no fsync",
}


def _into(tool: Sequence[str], target: Path) -> Sequence[str]:
    return (*tool, str(target))


class _Contest:
    """Everybody fetches the same files into an empty folder; what was fetched is removed at once."""

    def __init__(self, folder: Path, origin: str, source: Path) -> None:
        self._folder = folder
        self._origin = origin
        self._names = sorted(path.name for path in source.iterdir())
        self._sizes = {int(path.name): path.stat().st_size for path in source.iterdir()}
        self._targets = (folder / f"target{number}" for number in count())
        self.peak_mb = 0.0
        self.cpu = CpuTimes()
        self._listing = folder / "names"
        self._listing.write_text("\n".join(self._names))
        self._source = source

    def contenders(self, durable: Path = _REFERENCES / "bare_durable_files.py") -> dict[str, Callable[[], float]]:
        targets = {name: partial(self._timed, name, make) for name, make in self._commands(durable).items()}
        return {"ours": self._ours, **targets}

    def _commands(self, durable: Path) -> dict[str, Callable[[Path], Sequence[str]]]:
        origin, names = self._origin, self._names
        addresses = self._folder / "addresses"
        addresses.write_text("".join(f"{origin}/attachments/{name}\n  out={name}\n" for name in names))
        curls = self._folder / "curls"
        curls.write_text("".join(f'url = "{origin}/attachments/{name}"\noutput = "{name}"\n' for name in names))
        rclone = ("rclone", "copy", "--config", "", "--transfers", "10", "--http-url", f"{origin}/list/", ":http:")
        aria2c = ("aria2c", "-q", "-j10", "-x1", "--file-allocation=none", "-i", str(addresses), "-d")
        curl = ("curl", "-s", "-Z", "--parallel-max", "10", "-K", str(curls), "--output-dir")
        tools = {"rclone": rclone, "aria2c": aria2c, "curl": curl}
        found = {name: partial(_into, tool) for name, tool in tools.items() if shutil.which(name)}
        bare = str(_REFERENCES / "bare_files.py")
        loops = {"bare loop": bare, "durable loop": str(durable)}
        own = {name: partial(_into, python(loop, origin, str(self._listing))) for name, loop in loops.items()}
        return {**found, **own}

    def _timed(self, name: str, make: Callable[[Path], Sequence[str]]) -> float:
        with self._target() as target:
            done = run(make(target))
            self._check(target)
        return self.cpu.noted(name, done)

    def _ours(self) -> float:
        """The whole process, from its start to its end, on a state that knows of the files and has none."""
        with self._target() as target:
            server = Server(self._origin, "t0ken" * 4, "api@example.org")
            settings = {
                "limits": LIFTED,
                "mirror_collections": {"collections": ["invoices"]},
                "fetch_attachments": {"directory": str(target / "files"), "in_flight": 10, "max_bytes": 10**11},
            }
            config = write_config(target / "config", server, settings)
            run(python("-m", "tests.bench.known_files", str(config), str(self._source)), server.credentials)
            done: Run = run(command(config, "--only", "fetch_attachments"), server.credentials)
            self.peak_mb = max(self.peak_mb, done.peak_mb)
            self._check(target / "files")
        return self.cpu.noted("ours", done)

    @contextmanager
    def _target(self) -> Iterator[Path]:
        target = next(self._targets)
        target.mkdir()
        yield target
        shutil.rmtree(target)

    def _check(self, target: Path) -> None:
        """Nobody may be fast by leaving something out."""
        sizes = {path.name.partition("__")[0]: path.stat().st_size for path in target.rglob(f"{_FIRST // 1000}*")
                 if path.is_file()}  # fmt: skip
        assert sizes == {str(id_): size for id_, size in self._sizes.items()}


def _make(folder: Path, sizes: dict[int, int]) -> Path:
    """Different files of random bytes; large ones repeat a piece of a megabyte."""
    folder.mkdir()
    drawn = random.Random(1)
    for number, size in sizes.items():
        piece = drawn.randbytes(min(size, _SIZE))
        with (folder / str(number)).open("wb") as file:
            for _ in range(size // len(piece)):
                file.write(piece)
    return folder


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    process = subprocess.Popen(
        python(str(_REFERENCES / "files_server.py"), str(folder)), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    os.sched_setaffinity(process.pid, {SERVER_CORE})
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate()


def _pace(size: int, took: float) -> str:
    return f"{size / took / 1e6:.0f} MB/s"
