"""The rounds a sweep plays: each is given a seed and raises if a promise is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import get_args

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from precoro_daemon.sandbox.options import Meta, Order
from tests.jobs.machine import MirrorMachine

VARIANTS = tuple(product(get_args(Order), get_args(Meta)))
MANY = settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    database=None,
    print_blob=False,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def machine(seed: int) -> None:
    order, meta = VARIANTS[seed % len(VARIANTS)]
    seeded = hypothesis.seed(seed)(type("Machine", (MirrorMachine,), {"order": order, "meta": meta}))
    run_state_machine_as_test(seeded, settings=MANY)


ROUNDS: Mapping[str, Callable[[int], None]] = {"machine": machine}
