"""Makes a state that knows of the files in a folder, each named by its id, and has none of them.

    python -m tests.bench.known_files CONFIG FOLDER

A process of its own, for what it imports would be counted as memory of whoever is measured after it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio

from precoro_daemon.app.state import state_of
from precoro_daemon.settings import load
from tests.files.filing import name_files


async def main(config: Path, sizes: dict[int, int]) -> None:
    settings = load(config, os.environ)
    async with state_of(settings).open() as store:
        await name_files(store, {id_: {"size": size} for id_, size in sizes.items()})


if __name__ == "__main__":
    found = {int(path.name): path.stat().st_size for path in Path(sys.argv[2]).iterdir()}
    anyio.run(main, Path(sys.argv[1]), found)
