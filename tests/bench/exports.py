"""100,000 documents out of the mirror: CPU time and memory of `export`; records pushed in a second."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Aim, Line
from tests.bench.processes import Run, python, run

DOCUMENTS = 100_000

_MOST_CPU_S = {"csv": 4.0, "parquet": 5.0, "jsonl": None}
_MOST_EXPORT_MB = 160
_PUSHES_A_SECOND = 500
_CREDENTIALS = {"PRECORO_TOKEN": "a-key-of-the-bench", "PRECORO_EMAIL": "bench@example.com"}
_CONFIG = '[precoro]\nbase_url = "http://127.0.0.1:9"\n[state]\nurl = "sqlite:///{}/state.db"\n'


def out(folder: Path) -> Iterator[Line]:
    config = folder / "config.toml"
    config.write_text(_CONFIG.format(folder))
    run(python("-m", "tests.bench.exports_state", str(config), str(folder / "state.db")), _CREDENTIALS)
    program = str(Path(sys.executable).with_name("precoro-daemon"))
    for form, most in _MOST_CPU_S.items():
        command = (program, "export", "invoices_and_credit_notes", "--to", form, "--out", str(folder))
        done = run((*command, "--config", str(config)), _CREDENTIALS)
        print(f"  {form}: {done.cpu:.2f} s, {done.peak_mb:.0f} MB", flush=True)
        yield from _lines(form, done, most)


def pushes(folder: Path) -> Iterator[Line]:
    """Pushed and received in one process, so that both sides' work is in the figure."""
    done = run(python("-m", "tests.bench.exports_pushed", str(folder)), _CREDENTIALS)
    count, seconds = int((folder / "count").read_text()), float((folder / "seconds").read_text())
    pace = count / seconds
    yield Line(
        f"{count:,} pushes, each second",
        f"{pace:.0f}",
        "aim",
        f"{_PUSHES_A_SECOND}",
        pace / _PUSHES_A_SECOND,
        Aim(1.0, at_least=True),
    )
    yield Line("  peak RSS", f"{done.peak_mb:.0f} MB", "", "")


def _lines(form: str, done: Run, most: float | None) -> Iterator[Line]:
    allowed = ("", "", None, None) if most is None else ("allowed", f"{most:.1f} s", done.cpu / most, Aim(1.0))
    yield Line(f"{DOCUMENTS:,} documents to {form}, CPU", f"{done.cpu:.2f} s", *allowed)
    ratio = done.peak_mb / _MOST_EXPORT_MB
    yield Line("  peak RSS", f"{done.peak_mb:.0f} MB", "allowed", f"{_MOST_EXPORT_MB} MB", ratio, Aim(1.0))
