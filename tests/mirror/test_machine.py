"""The state machine in every list order and with every kind of meta; `python -m tests.sweep` plays all pairs of them
for hours."""

from __future__ import annotations

from itertools import cycle
from typing import get_args

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from precoro_daemon.sandbox.options import Meta, Order
from tests.mirror.machine import MirrorMachine

FEW = settings(
    max_examples=1,
    stateful_step_count=10,
    phases=(Phase.generate,),  # real time passes in an example, so a smaller one need not fail the same way
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


EVENTFUL = (0, 5, 2, 3)
"""Seeds of stories in which much happens."""


@pytest.mark.parametrize(
    ("order", "meta", "story"), [*zip(get_args(Order), cycle(get_args(Meta)), EVENTFUL, strict=False)]
)
def test_after_a_quiet_run_the_mirror_is_the_truth(order: Order, meta: Meta, story: int) -> None:
    machine = type("Machine", (MirrorMachine,), {"order": order, "meta": meta})
    run_state_machine_as_test(seed(story)(machine), settings=FEW)
