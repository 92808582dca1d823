"""The mirror as a state machine: whatever happens to it, after a quiet run it is the truth."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from precoro_daemon.mirror.ports.mirror import Committed
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.cursors import Scan
from precoro_daemon.sandbox import users
from precoro_daemon.sandbox.faults import RECORDS
from precoro_daemon.sandbox.options import Meta, Order
from tests.mirror.comparing import Json
from tests.mirror.stage import Stage, Watch, soon, stage

COUNTS = {"suppliers": 3, "invoices": 35, "purchaseorders": 15, "taxes": 5, "items": 12}
NAMES = ("invoices", "purchase_orders", "payments", "suppliers", "items", "taxes")
PATHS = tuple(COLLECTIONS[name].path.removeprefix("/") for name in NAMES)

FAULTS = (
    "500", "502_html", "503", "504_html", "408", "404", "422", "429", "200_html", "200_json_error", "invalid_json",
    "half_json", "empty_body", "empty_page", "wrong_totals", "bad_record", "reset", "reset_midway", "closed",
    "truncated", "chunked_cut", "cut_without_length", "redirect",
)  # fmt: skip
SECTIONS: Mapping[str, dict[str, Any]] = {
    # An overlap of an hour would hide every mistake of a cursor: a whole example lasts a second or two.
    "mirror_collections": {"collections": NAMES, "per_page": 10, "overlap": 60},
    "take_census": {"max_vanished": 1},
}

PASSING = tuple(kind for kind in FAULTS if kind not in ("404", "422"))
"""What Precoro itself refuses twice in a row is left alone for an hour; a test of its own shows that."""

paths = st.sampled_from(PATHS)
seeds = st.integers(0, 10_000)
amounts = st.integers(0, 4)
filters = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sets(st.sampled_from([1, 2, 3, 4, 5]), min_size=1).map(sorted),
        "approved_from": st.sampled_from(["2025-01-10", "2026-02-01"]),
        "approved_to": st.sampled_from(["2026-02-15", "2026-02-28"]),
        "modified_since": st.sampled_from(["2025-06-01T12:00:00", "2026-02-01T00:00:00"]),
    },
)
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class _Theatre:
    """A stage on a loop that stands still between two rules."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self.stage: Stage = self._runner.run(self._open(directory, options))
        self.play = self._runner.run

    async def _open(self, directory: Path, options: dict[str, Any]) -> Stage:
        opened: asyncio.Future[Stage] = asyncio.get_running_loop().create_future()
        self._curtain = asyncio.Event()

        async def hold() -> None:
            async with stage(directory, **options) as shown:
                opened.set_result(shown)
                await self._curtain.wait()

        self._held = asyncio.create_task(hold())
        return await opened

    def close(self) -> None:
        async def end() -> None:
            self._curtain.set()
            await self._held

        self._runner.run(end())
        self._runner.close()


def happening(**drawn: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule after which it is worth looking whether all comes right: two quiet runs on end show what one does."""

    def made(step: Callable[..., None]) -> Any:
        @wraps(step)
        def taken(self: MirrorMachine, **values: Any) -> None:
            self.quiet = False
            step(self, **values)

        return rule(**drawn)(taken)

    return made


class MirrorMachine(RuleBasedStateMachine):
    order: Order = "created_desc"
    meta: Meta = "both"

    def __init__(self) -> None:
        super().__init__()
        self._directory = tempfile.TemporaryDirectory()

    @initialize(seed=seeds)
    def open(self, seed: int) -> None:
        assume(seed)  # the simplest story, which is tried first, has nothing in it
        self.filter: dict[str, Any] = {}
        self.came = self.went = 0
        self.quiet = False
        self.theatre = _Theatre(
            Path(self._directory.name),
            sections={name: dict(keys) for name, keys in SECTIONS.items()},
            counts=COUNTS,
            seed=seed,
            order=self.order,
            meta=self.meta,
            start=START,
        )
        self.stage = self.theatre.stage

    def teardown(self) -> None:
        try:
            if hasattr(self, "theatre") and not self.quiet and sys.exc_info()[0] is None:
                self.all_is_quiet()
        finally:
            if hasattr(self, "theatre"):
                self.theatre.close()
            self._directory.cleanup()

    def _work(self, path: str, seed: int, create: int, edit: int, delete: int) -> None:
        users.work(self.stage.sandbox.company, Random(seed), users.Load(create, edit, delete, (path,)))

    @happening(path=paths, seed=seeds, create=amounts, edit=amounts, delete=amounts)
    def users_work(self, path: str, seed: int, create: int, edit: int, delete: int) -> None:
        self._work(path, seed, create, edit, delete)

    @happening(path=paths, seed=seeds, page=st.integers(0, 5), create=amounts, edit=amounts, delete=amounts)
    def users_will_work_between_pages(
        self, path: str, seed: int, page: int, create: int, edit: int, delete: int
    ) -> None:
        def work() -> None:
            self._work(path, seed, create, edit, delete)
            # With a filter an edit can take a row from the list, or into it.
            self.came += create + edit
            self.went += delete + (edit if self.filter else 0)

        self.stage.when(rf"^/{path}\?", work, skip=page)

    @happening()
    def time_passes(self) -> None:
        time.sleep(0.1)

    @happening(path=paths, kind=st.sampled_from(FAULTS), skip=st.integers(0, 5), times=st.integers(1, 6),
          record=st.sampled_from(RECORDS))  # fmt: skip
    def a_list_will_fail(self, path: str, kind: str, skip: int, times: int, record: str) -> None:
        if kind == "empty_page" and self.meta == "has_next":
            return
        self.stage.sandbox.faults.add(kind, path=rf"^/{path}\?", skip=skip, times=times, record=record, seconds=0.01)

    @happening(path=paths, kind=st.sampled_from(PASSING), skip=st.integers(0, 9), times=st.integers(1, 6))
    def details_will_fail(self, path: str, kind: str, skip: int, times: int) -> None:
        self.stage.sandbox.faults.add(kind, path=rf"^/{path}/\d", skip=skip, times=times, seconds=0.01)

    @happening(chosen=filters, name=st.sampled_from(["invoices", "purchase_orders"]))
    def the_user_wants_something_else(self, chosen: dict[str, Any], name: str) -> None:
        self.filter = {name: chosen}
        self.stage.sections["mirror_collections"]["filters"] = self.filter

    @happening()
    def it_runs(self) -> None:
        self.theatre.play(self.stage.run())

    @happening(only=st.sampled_from(["mirror_collections", "fetch_details", "take_census"]))
    def one_job_runs(self, only: str) -> None:
        self.theatre.play(self.stage.run(only))

    @happening(commits=st.integers(1, 15))
    def it_is_cut_off(self, commits: int) -> None:
        self.theatre.play(self.stage.run_until(_countdown(commits)))

    @happening(commits=st.integers(1, 15))
    def the_power_fails(self, commits: int) -> None:
        """What the disk holds after some commit is all that is left of a run."""
        image = self.stage.directory / "image.db"
        reached = _countdown(commits)

        def look(scan: Scan, done: Committed) -> None:
            if reached(scan, done):
                soon(_copy, self.stage.database, image)

        self.theatre.play(self.stage.run(progress=Watch(look)))
        if image.exists():
            for suffix in ("-wal", "-shm"):
                Path(f"{self.stage.database}{suffix}").unlink(missing_ok=True)
            image.replace(self.stage.database)

    @precondition(lambda self: not self.quiet)
    @rule()
    def all_is_quiet(self) -> None:
        self.quiet = True
        self.stage.sandbox.faults.clear()
        report = self.theatre.play(self.stage.run())
        assert (report.stopped, report.spent) == (None, None)
        if not (self.came and self.went):
            # Where as many rows came as went between two pages nothing shows what was skipped, except a census.
            self._expect_the_truth(counted=False)
        self.theatre.play(self.stage.run("take_census"))
        self.theatre.play(self.stage.run("fetch_details"))
        self.came = self.went = 0
        self._expect_the_truth(counted=True)

    def _expect_the_truth(self, *, counted: bool) -> None:
        found = self.stage.differences(wanted=self._wanted, counted=counted)
        if found:
            cursors = [dict(row) for row in self.stage.query("SELECT * FROM cursors")]
            raise AssertionError(
                "\n".join(
                    [f"counted={counted} filter={self.filter}", *found, *map(str, cursors), *self.stage.calls()[-60:]]
                )
            )

    def _wanted(self, name: str, document: Json) -> bool:
        return keeps(self.filter.get(name, {}), document)


class _countdown:  # noqa: N801 - reads as a function
    """True once, after so many commits."""

    def __init__(self, commits: int) -> None:
        self._left = commits

    def __call__(self, _walk: Scan, _done: Committed) -> bool:
        self._left -= 1
        return self._left == 0


def _copy(database: Path, image: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(image)) as target:
        source.backup(target)


def keeps(chosen: Mapping[str, Any], document: Json) -> bool:
    """What the API does with these filters, told again from the JSON. Days are days in UTC."""
    if not chosen:
        return True
    approved = _moment(document.get("approvalDate"))
    day = approved.date().isoformat() if approved else ""
    return (
        document["status"] in chosen.get("status", [document["status"]])
        and (not chosen.keys() & {"approved_from", "approved_to"} or bool(day))
        and chosen.get("approved_from", "") <= day <= chosen.get("approved_to", "9999")
        and _moment(document["updateDate"]) >= _moment(chosen.get("modified_since", "1970-01-01T00:00:00"))
        and (not chosen.get("attached_files_only") or bool(document.get("attachments", True)))
    )


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
