"""Long random tests: the state machine and kill schedules, seed after seed, for as many minutes as given."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.sweep.rounds import ROUNDS

FAILED = Path(__file__).with_name("failed_seeds.txt")
"""One line a failure: the round's name and its seed. They are played first; take a line out when it is mended."""

Round = tuple[str, int]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only", choices=ROUNDS, nargs="+", default=list(ROUNDS))
    asked = parser.parse_args()
    end = time.monotonic() + asked.minutes * 60
    known, failed = [one for one in _known() if one[0] in asked.only], 0
    for number, one in enumerate(itertools.chain(known, _fresh(asked.seed, asked.only)), start=1):
        if not _play(one):
            failed += 1
            _remember(one, known)
        if time.monotonic() > end:
            print(f"{number} rounds from seed {asked.seed}: {failed} failed")
            break
    return 1 if failed else 0


def _known() -> list[Round]:
    lines = FAILED.read_text().splitlines() if FAILED.exists() else []
    return [(name, int(seed)) for name, seed in map(str.split, lines)]


def _fresh(first: int, names: Sequence[str]) -> Iterator[Round]:
    return ((name, seed) for seed in itertools.count(first * 1_000_000) for name in names)


def _play(one: Round) -> bool:
    name, seed = one
    print(f"{name} {seed} ... ", end="", flush=True)
    started = time.monotonic()
    try:
        ROUNDS[name](seed)
    except Exception:  # noqa: BLE001 - whatever it is, it is told, remembered, and the sweep goes on
        print(f"FAILED\n{traceback.format_exc()}", flush=True)
        return False
    print(f"{time.monotonic() - started:.1f} s", flush=True)
    return True


def _remember(one: Round, known: list[Round]) -> None:
    if one not in known:
        with FAILED.open("a") as file:
            file.write(f"{one[0]} {one[1]}\n")


if __name__ == "__main__":
    sys.exit(main())
