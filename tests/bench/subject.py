"""The program under measurement: its configuration, its command, and a run without the start of a process."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.processes import Run, python, run
from tests.bench.serving import Server

LIFTED = dict.fromkeys(
    ("per_second", "per_minute", "per_hour", "per_day", "same_get_per_minute", "same_get_per_hour"), 0
)


def write_config(folder: Path, server: Server, sections: Mapping[str, Mapping[str, Any]]) -> Path:
    """A configuration in an empty folder of its own; the sections' values are TOML as JSON writes them."""
    folder.mkdir(parents=True)
    own = {"precoro": {"base_url": server.url}, "state": {"url": f"sqlite:///{folder}/state.db"}}
    lines = [
        line
        for name, values in {**own, **sections}.items()
        for line in (f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()))
    ]
    config = folder / "config.toml"
    config.write_text("\n".join(lines) + "\n")
    return config


def command(config: Path, *more: str) -> Sequence[str]:
    return (str(Path(sys.executable).with_name("precoro-daemon")), "--once", "--config", str(config), *more)


def mirror(config: Path, server: Server, *more: str) -> Run:
    """The real command, from the start of its process to its end."""
    return run(command(config, *more), server.credentials)


def mirror_inside(config: Path, server: Server) -> float:
    """Seconds of the same without the start: from the configuration being read to the store being closed."""
    return float(run_inside(config, server)["seconds"])


def run_inside(config: Path, server: Server, *jobs: str) -> Any:
    """What each job took, by its name: real seconds, seconds of CPU time, and how much it brought."""
    return run(python("-m", "tests.bench.subject_inside", str(config), *jobs), server.credentials).told
