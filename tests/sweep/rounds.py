"""The rounds a sweep plays: each is given a seed and raises if a promise is broken."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, get_args

import anyio
import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from precoro_daemon.sandbox.options import Meta, Order
from tests.adapters.grants.killing import at_random
from tests.adapters.state.postgresql.clusters import Pair, bouncer_before, pair_in, pgbouncer
from tests.adapters.state.postgresql.fleet_story import Story
from tests.adapters.state.postgresql.fleet_story import play as play_fleet
from tests.adapters.state.postgresql.fleets import Tables
from tests.catalogue import schedules as item_schedules
from tests.clocks import compiler
from tests.exports import test_pushes as to_receivers
from tests.exports import test_segments as into_files
from tests.exports import test_tables as into_tables
from tests.exports.belongings import ACTS, PARTS
from tests.mirror.machine import MirrorMachine
from tests.mirror.zones import story
from tests.payments import both_ways, changes, online_ways, schedules
from tests.payments import test_wording as words
from tests.payments.test_amounts import EACH, amounts, wire_to_wire
from tests.payments.world import fresh_world
from tests.quota.test_week import WEEK
from tests.quota.week import DAY, HOUR, play
from tests.system.handovers import play as hand_over
from tests.system.killing import kill_and_recover
from tests.system.months import Plan, live
from tests.system.stopping import stop_at_random
from tests.system.test_dying import kill_at_points

VARIANTS: tuple[tuple[Order, Meta], ...] = tuple(product(get_args(Order), get_args(Meta)))
MANY = settings(
    max_examples=20,
    stateful_step_count=20,
    phases=(Phase.generate,),  # real time passes in an example, so a smaller one need not fail the same way
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


def machine(seed: int) -> None:
    order, meta = VARIANTS[seed % len(VARIANTS)]
    seeded = hypothesis.seed(seed)(type("Machine", (MirrorMachine,), {"order": order, "meta": meta}))
    run_state_machine_as_test(seeded, settings=MANY)


def zones(seed: int) -> None:
    """Sixty stories of a list whose `modifiedSince` is read in some time zone."""
    for number in range(60):
        anyio.run(story, seed * 60 + number)


def kills(seed: int) -> None:
    order, meta = VARIANTS[seed % len(VARIANTS)]
    with tempfile.TemporaryDirectory() as directory:
        anyio.run(partial(kill_and_recover, Path(directory), seed, kills=6, order=order, meta=meta))


def dying(seed: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        anyio.run(partial(kill_at_points, Path(directory), every=1, first=2 + seed % 2))


def grants(seed: int) -> None:
    """Forty refreshes cut off at random moments, beside others, where the vendor has a grace; and forty where not."""
    for grace in (60.0, 0.0):
        with tempfile.TemporaryDirectory() as directory:
            told = at_random(Path(directory), grace, seed)
        assert told.lost == 0 or not grace, told


def payments(seed: int) -> None:
    """A thousand schedules of payments to Precoro, three hundred more with a person who decides meanwhile, some pairs
    of all outcomes, fifty companies that pay on both sides, and two hundred whose books change their mind."""
    pairs = anyio.run(schedules.play_pairs, seed % 50, 50, list(schedules.POSTS))
    assert pairs.wrong == [], pairs.wrong[:5]
    tally = anyio.run(schedules.play_all, [schedules.drawn(seed * 1_000 + number) for number in range(1_000)])
    assert tally.wrong == [], tally.wrong[:5]
    decided = [replace(schedules.drawn(seed * 1_000 + number), person=seed + number) for number in range(300)]
    tally = anyio.run(schedules.play_all, decided)
    assert tally.wrong == [], tally.wrong[:5]
    for number in range(50):
        _, wrong = anyio.run(both_ways.play, seed * 50 + number)
        assert wrong == [], wrong[:5]
    _, wrong = anyio.run(changes.play_all, range(seed * 200, seed * 200 + 200))
    assert wrong == [], wrong[:5]


def online(seed: int) -> None:
    """Ten companies between Precoro and each kind of ledger."""
    _, wrong = anyio.run(online_ways.play_all, range(seed * 10, seed * 10 + 10))
    assert wrong == [], wrong[:5]


def money(seed: int) -> None:
    """A hundred and forty thousand amounts, wire to wire."""
    random = Random(seed)
    for _ in range(280):
        wire_to_wire(amounts(random.randbytes(8 * EACH)))


def items(seed: int) -> None:
    """A thousand schedules of items created, changed and hidden."""
    drawn = [item_schedules.drawn(seed * 1_000 + number) for number in range(1_000)]
    tally = anyio.run(item_schedules.play_all, drawn)
    assert tally.wrong == [], tally.wrong[:5]


def exports(_: int) -> None:
    """Killed at every step of an export, into Parquet files, into tables and to a receiver."""
    with tempfile.TemporaryDirectory() as directory:
        assert anyio.run(to_receivers.killed_at_steps, Path(directory), range(to_receivers.STEPS)) > 40
    with tempfile.TemporaryDirectory() as directory:
        steps = range(to_receivers.STEPS_OF_PARTS)
        assert anyio.run(to_receivers.killed_at_steps, Path(directory), steps, PARTS, ACTS) > 100
    with tempfile.TemporaryDirectory() as directory:
        assert anyio.run(into_files.killed_at_steps, Path(directory), range(into_files.STEPS)) > 20
    with tempfile.TemporaryDirectory() as directory:
        steps = range(into_files.STEPS_OF_PARTS)
        assert anyio.run(into_files.killed_at_steps, Path(directory), steps, PARTS, ACTS) > 60
    with tempfile.TemporaryDirectory(prefix="x") as directory, ExitStack() as stack:
        Path(directory).chmod(0o755)
        pair = stack.enter_context(pair_in(Path(directory)))
        pair.primary.rows("CREATE DATABASE reports")
        url = f"postgresql://postgres@/reports?host={pair.primary.directory}"
        (Path(directory) / "lives").mkdir()
        assert anyio.run(into_tables.killed_at_steps, Path(directory, "lives"), url, range(into_tables.STEPS)) > 20
        (Path(directory) / "parts").mkdir()
        steps = range(into_files.STEPS_OF_PARTS)
        assert anyio.run(into_tables.killed_at_steps, Path(directory, "parts"), url, steps, PARTS, ACTS) > 60


def wording(seed: int) -> None:
    """Ten stories, each told twice: with the messages as they are, and with nonsense in their place."""
    try:
        for number in range(10):
            for play_one in (words.course, both_ways.play):
                words.same_is_decided(play_one, seed * 10 + number)
    finally:
        fresh_world()


def stops(seed: int) -> None:
    """Twenty ends at random moments; what was paid meanwhile was paid once."""
    with tempfile.TemporaryDirectory() as directory:
        took = anyio.run(partial(stop_at_random, Path(directory), seed, times=20))
    assert max(took) < 20, took


def days(seed: int) -> None:
    """Three of them, with the quota used up, webhooks and payments."""
    plan = Plan(days=3, scale=3600, invoices=5_000, payments=20, announced=True, seed=seed)
    with tempfile.TemporaryDirectory() as directory:
        course = anyio.run(partial(live, Path(directory), plan))
    assert course.refused == {}, course.told()
    assert course.twice == 0, course.told()
    assert course.code == 0, course.told()


def weeks(seed: int) -> None:
    """Seven days in virtual time: a first fill, another user of the key for four of them, restarts and kills; with
    some seeds on a machine whose clock is wrong at each start, and which is suspended.

    One refusal is allowed: the extremes of the line, of which a day sees few, may meet for the first time.
    """
    with tempfile.TemporaryDirectory() as directory:
        wrong = seed // 3 % 2
        story = replace(WEEK, seed=seed, others=seed % 3 * 4.0, wrong_by=wrong * 6 * HOUR, suspends=wrong * 2.0)
        course = play(Path(directory), story)
    assert course.ours == course.trials, course.shown()
    assert len(course.ours) <= 1, course.shown()
    assert course.unsent == [], course.shown()
    assert max(course.sent) <= 20 * 60, course.shown()
    assert max(course.exported) <= 2 * HOUR, course.shown()
    assert max(course.gaps.values()) <= DAY + HOUR + wrong * 3 * HOUR, course.shown()


def fleet(seed: int) -> None:
    """Four workers: twenty are killed, ten are stopped and wake up; their wires are cut or go silent, their clocks
    are wrong, PostgreSQL restarts, and its standby takes its place. With every other seed a PgBouncer stands between,
    where there is one."""
    with tempfile.TemporaryDirectory(prefix="f") as directory, ExitStack() as stack:
        Path(directory).chmod(0o755)
        pair = stack.enter_context(pair_in(Path(directory)))
        tables = Tables(str(pair.primary.directory), "fleet")
        pair.primary.rows("CREATE DATABASE fleet")
        story = Story(seed, workers=4, companies=12, kills=20, stops=10, cuts=5, silences=4, restarts=1)
        story = replace(story, apart=600 if compiler() else 0)
        if seed % 2 and pgbouncer() is not None:
            mode = ("transaction", "ignore_startup_parameters = options", "server_login_retry = 1")
            pooler = stack.enter_context(bouncer_before(pair.primary, Path(directory, "pooler"), *mode))
            story = replace(story, pooler=pooler, lease=6.0, restart=pair.restart)
        else:
            story = replace(story, promotions=1, **_mishaps(pair))
        outcome = anyio.run(play_fleet, tables, story, Path(directory, "log"))
    print(outcome.shown(), end=" ")
    assert outcome.wrong == {}, outcome.shown()
    assert outcome.exits == [0] * story.workers, outcome.exits


def engines(_: int) -> None:
    """The contracts of the state on the oldest PostgreSQL that it takes; the tests have the newest."""
    asked = ["-q", "tests/contracts", "tests/adapters/state", "-k", "postgresql and not ledgers"]
    environment = os.environ | {"PGSERVER_POSTGRES_VERSION": "16"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *asked], check=False, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]


def handovers(seed: int) -> None:
    """The program itself, four workers of six companies that use up their limits: killed, stopped, their database
    restarted, and lost to its standby."""
    outcome = anyio.run(partial(hand_over, seed, kills=4, stops=2, restarts=1, failovers=1))
    print(outcome.shown(), end=" ")
    assert outcome.right, outcome.shown()


def _mishaps(pair: Pair) -> dict[str, Callable[[], Any]]:
    def promote() -> str:
        pair.fail_over()
        return str(pair.primary.directory)

    return {"restart": pair.restart, "promote": promote}


ROUNDS: Mapping[str, Callable[[int], None]] = {
    "machine": machine,
    "zones": zones,
    "kills": kills,
    "dying": dying,
    "grants": grants,
    "payments": payments,
    "online": online,
    "money": money,
    "items": items,
    "exports": exports,
    "wording": wording,
    "stops": stops,
    "days": days,
    "weeks": weeks,
    "fleet": fleet,
    "handovers": handovers,
    "engines": engines,
}
