"""When lists are scanned in a service: what scans teach, what a restart keeps, and what a first fill asks for."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.mirror.polling import Polling, PollingOptions, Scanned
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.rules.cursors import Page, Scan
from precoro_daemon.mirror.rules.documents import read_record
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.quota.freshness import Pace
from precoro_daemon.quota.plan import Demand, QuotaPlan, plan_quota
from precoro_daemon.quota.usual_week import UsualWeek
from precoro_daemon.runtime.schedules import Every

START = datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp()
"""A Monday."""

HOUR, DAY = 3600.0, 86_400.0

LISTS = ("invoices", "suppliers", "taxes")


@dataclass
class Clock:
    """Stands until it is set."""

    time: float = START
    time_scale: float = 1.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class Service:
    """What one process knows; `waiting` payments have no invoice."""

    store: Store
    clock: Clock
    paces: dict[str, Pace] = field(default_factory=lambda: dict.fromkeys(LISTS, Pace()))
    plans: list[QuotaPlan] = field(default_factory=list)
    waiting: int = 0

    def __post_init__(self) -> None:
        async def waiting() -> int:
            return self.waiting

        options = PollingOptions(self.paces, lists=1200, detailed=("invoices",))
        self.polling = Polling(
            options, self.store.mirror, self.store.freshness_book, self.clock, planned, self.plans.append, waiting
        )

    async def scan(self, name: str, *changed: float, began: float | None = None, poll: bool = True) -> None:
        at = self.clock.now()
        moments = [datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S") for moment in changed]
        await self.polling.scanned(Scanned(name, at, at if began is None else began, moments, 1, poll))
        await self.polling.keep()

    async def listed(self, name: str, documents: int = 0) -> None:
        """The list was read to its end, by the store."""
        rows = [read_record(b'{"id": %d, "idn": %d}' % (number, number)) for number in range(1, documents + 1)]
        page = Page(1, rows, total=documents, total_pages=1, server_time=self.clock.now())
        await self.store.mirror.commit_pages(Scan(name, "whole"), [page])
        await self.store.mirror.close_scan(
            replace(Scan(name, "whole"), next_page=2, last_page=1), at=self.clock.now()
        )


def planned(demand: Demand, _week: UsualWeek) -> QuotaPlan | None:
    return plan_quota({"day": 3000}, {}, demand)


@asynccontextmanager
async def stored(path: Path) -> AsyncIterator[Store]:
    async with SqliteState(path / "state.db", "company").open() as store:
        yield store


async def every_list(service: Service) -> None:
    for name in LISTS:
        await service.listed(name)
        await service.scan(name)


@pytest.mark.asyncio
async def test_at_first_everything_is_due_and_afterwards_what_is_worth_it(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        assert set(await service.polling.due()) == set(LISTS)
        await every_list(service)
        assert list(await service.polling.due()) == []
        turn = service.polling.after(START)
        assert START + 60 <= turn < START + DAY
        service.clock.time = turn
        assert list(await service.polling.due()) != []
        service.clock.time = START + DAY
        assert set(await service.polling.due()) == set(LISTS), "nothing is older than its bound"


@pytest.mark.asyncio
async def test_a_list_that_changes_often_is_scanned_more_often(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        await every_list(service)
        for hour in range(1, 200):
            service.clock.time = START + hour * HOUR
            await service.scan("suppliers", *(service.clock.time - 60 * number for number in range(1, 20)))
            await service.scan("invoices")
            await service.scan("taxes")
        now = service.clock.now()
        turns = {name: service.polling.planner.next_scan(name, now) - now for name in LISTS}
        assert turns["suppliers"] < turns["invoices"] < turns["taxes"] / 2


@pytest.mark.asyncio
async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        await every_list(service)
        for hour in range(1, 60):
            service.clock.time = START + hour * HOUR
            await service.listed("invoices")
            await service.scan("invoices", service.clock.time - 600.0, service.clock.time - 1200.0)
        await service.polling.due()
        other = Service(store, service.clock)
        await other.polling.due()
        assert list(other.polling.rates.usually("invoices")) == pytest.approx(
            list(service.polling.rates.usually("invoices"))
        )
        now = service.clock.now()
        for name in LISTS:
            expected = service.polling.planner.next_scan(name, now)
            assert other.polling.planner.next_scan(name, now) == pytest.approx(expected, abs=1.0)


@pytest.mark.asyncio
async def test_a_state_restored_from_a_copy_knows_as_much_as_one_that_went_on(tmp_path: Path) -> None:
    """Its first scan brings what the copy did not see, each change with its own date, and nothing twice."""
    (tmp_path / "restored").mkdir()

    async def lives(service: Service, first: int, last: int) -> list[float]:
        changed = []
        for hour in range(first, last):
            service.clock.time = START + hour * HOUR
            new = [service.clock.now() - 60.0 * number for number in range(1, 1 + (10 if hour % 24 < 8 else 0))]
            await service.scan("invoices", *new)
            changed += new
        return changed

    async with stored(tmp_path) as store:
        await Service(store, Clock()).scan("invoices")
        await lives(Service(store, Clock()), 1, 10 * 24)
    shutil.copy(tmp_path / "state.db", tmp_path / "restored" / "state.db")
    async with stored(tmp_path) as store:
        went_on = Service(store, Clock())
        missed = await lives(went_on, 10 * 24, 14 * 24)
    async with stored(tmp_path / "restored") as store:
        restored = Service(store, went_on.clock)
        await restored.scan("invoices", *missed)
        known = [sum(hour.changes for hour in await store.freshness_book.load(0.0))]
    assert known == [14 * 80 - 10]
    expected = list(went_on.polling.rates.usually("invoices"))
    assert list(restored.polling.rates.usually("invoices")) == pytest.approx(expected, rel=0.15)


@pytest.mark.asyncio
async def test_minutes_without_news_are_kept_together_and_news_at_once(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        await every_list(service)
        await service.polling.keep_all()

        async def kept() -> int:
            return sum(hour.scans for hour in await store.freshness_book.load(0.0))

        before, counts = await kept(), []
        for minute in range(20):
            service.clock.time += 60
            news = (service.clock.time - 30,) if minute == 17 else ()
            await service.scan("invoices", *news)
            counts.append(await kept() - before)
        assert counts == [0] * 14 + [15] * 3 + [18] * 3
        await service.polling.keep_all()
        assert await kept() == before + 20


@pytest.mark.asyncio
async def test_a_restart_does_not_take_scans_that_webhooks_asked_for_for_polls(tmp_path: Path) -> None:
    """A day of webhooks would else have spent what polls may take, and no list be scanned for the next day."""
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        await every_list(service)
        for _ in range(300):
            service.clock.time += 60
            await service.scan("invoices", service.clock.time - 30, poll=False)
            await service.scan("suppliers")
        await service.polling.keep_all()
        service.polling.planner.afford(320)
        other = Service(store, service.clock)
        await other.polling.load()
        other.polling.planner.afford(320)
        now = service.clock.now()
        assert other.polling.planner.price(now) == pytest.approx(service.polling.planner.price(now), rel=0.1)
        for name in LISTS:
            expected = service.polling.planner.next_scan(name, now)
            assert other.polling.planner.next_scan(name, now) == pytest.approx(expected, abs=1.0)


@pytest.mark.asyncio
async def test_the_first_listing_shows_when_rows_changed_in_the_last_two_weeks(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        each_noon = [START - day * DAY + 3 * HOUR for day in range(1, 60) for _ in range(10)]
        await service.scan("invoices", *each_noon)
        table = service.polling.rates.usually("invoices")
        assert max(range(24), key=lambda hour: table[hour]) == 12
        hours = await store.freshness_book.load(0.0)
        assert sum(hour.changes for hour in hours) == 140, "what changed before says nothing of the present"
        assert all(hour.delayed == 0 for hour in hours), "nobody knows how late they came"


@pytest.mark.asyncio
async def test_a_clock_that_the_first_answer_sets_back_holds_no_list(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        service = Service(store, Clock(START + 3650 * DAY))
        asked_at = service.clock.now()
        service.clock.time = START
        for name in LISTS:
            await service.listed(name)
            await service.polling.scanned(Scanned(name, asked_at, START, (), 1, poll=True))
        service.clock.time = START + 2 * DAY
        assert set(await service.polling.due()) == set(LISTS)


@pytest.mark.asyncio
async def test_a_date_that_does_not_move_makes_no_list_due_at_once(tmp_path: Path) -> None:
    """A list behind a cache, whose answers bear an old Date."""
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        for _ in range(3):
            for name in LISTS:
                await service.listed(name)
                await service.scan(name, began=START - DAY)
            assert list(await service.polling.due()) == []
            service.clock.time += DAY


@pytest.mark.asyncio
@pytest.mark.parametrize("began", [0.0, START - 300 * DAY, START + 300 * DAY])
async def test_a_date_that_is_off_by_years_teaches_nothing_twice(tmp_path: Path, began: float) -> None:
    """One answer of it, between others: the next scan would else say of weeks that hardly anything changed."""
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        await service.listed("invoices")
        for number in range(6):
            service.clock.time += HOUR
            changed = service.clock.now() - 60
            await service.scan("invoices", changed, began=began if number == 3 else None)
        hours = [hour for hour in await store.freshness_book.load(0.0) if hour.begins >= START]
        assert sum(hour.changes for hour in hours) == 6
        assert max(hour.seconds for hour in hours) <= HOUR
        assert max(hour.begins for hour in hours) <= service.clock.now()
        known = await store.freshness_book.load(0.0)
        assert sum(hour.seconds for hour in known) <= 14 * DAY + 7 * HOUR


@pytest.mark.asyncio
async def test_a_list_that_fails_is_tried_again_later_and_holds_no_other(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        await service.polling.due()
        service.polling.failed("invoices")
        assert set(await service.polling.due()) == {"suppliers", "taxes"}
        service.clock.time += 300
        assert "invoices" in await service.polling.due()
        service.polling.failed("invoices")
        service.clock.time += 300
        assert "invoices" not in await service.polling.due()


@pytest.mark.asyncio
async def test_a_schedule_of_the_users_own_is_kept(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        paces = {"invoices": Pace(schedule=Every(420.0)), "suppliers": Pace(), "taxes": Pace()}
        service = Service(store, Clock(), paces)
        await every_list(service)
        service.clock.time += 419
        assert "invoices" not in await service.polling.due()
        service.clock.time += 1
        assert "invoices" in await service.polling.due()


@pytest.mark.asyncio
async def test_payments_that_came_in_make_invoices_urgent_for_a_while(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        await every_list(service)

        async def turn() -> float:
            await service.polling.due()
            return service.polling.planner.next_scan("invoices", service.clock.now())

        usual = await turn()
        service.waiting = 2
        assert START < await turn() < usual
        service.clock.time += 2 * HOUR
        await service.scan("invoices")
        later = await turn() - service.clock.now()
        assert later == pytest.approx(usual - START, rel=0.3), "what found no invoice by now may never find one"


@pytest.mark.asyncio
async def test_a_payment_that_finds_no_invoice_has_the_invoices_scanned_at_once_even_at_night(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        service = Service(store, Clock(), {name: Pace(weight=0.0) for name in LISTS})
        await every_list(service)
        service.clock.time += 900
        assert await service.polling.due() == []
        service.waiting = 1
        assert await service.polling.due() == ["invoices"]
        await service.scan("invoices")
        service.clock.time += 900
        assert await service.polling.due() == [], "it still waits, and costs no call a lap"
        service.waiting = 2
        assert await service.polling.due() == ["invoices"]


@pytest.mark.asyncio
async def test_a_first_fill_is_told_once_and_ends_once(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        with capture_logs() as lines:
            await service.polling.due()
            assert service.plans[-1].filling, "no list was read yet"
            for name in LISTS:
                await service.listed(name, documents=900 if name == "invoices" else 1)
                await service.scan(name)
            await service.polling.reconsider()
            await service.polling.reconsider()
            assert service.plans[-1].lists == 200
            for due in await store.mirror.due_details(["invoices"], before=service.clock.now(), limit=1000):
                await store.mirror.mark_gone(due, at=service.clock.now())
            await service.polling.reconsider()
            assert service.plans[-1].lists == 1200
        told = [line["event"] for line in lines if line["event"].startswith("fill_")]
        assert told == ["fill_started", "fill_finished"]
        [started] = [line for line in lines if line["event"] == "fill_started"]
        assert (started["due"], started["lists"]) == (900, 200)


@pytest.mark.asyncio
async def test_a_list_that_the_key_may_not_read_makes_no_first_fill_endless(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        for name in ("invoices", "taxes"):
            await service.listed(name)
            await service.scan(name)
        await service.polling.replan()
        assert service.plans[-1].filling, "suppliers may hold anything"
        refused = Quarantined(
            "suppliers", "suppliers", Stage.SCAN, "403", None, attempts=1, since=START, retry_at=START
        )
        await store.mirror.quarantine(refused)
        await service.polling.reconsider()
        assert not service.plans[-1].filling


@pytest.mark.asyncio
async def test_a_date_from_the_future_teaches_nothing_and_holds_up_no_learning(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        service = Service(store, Clock())
        await every_list(service)
        before = list(service.polling.rates.usually("invoices"))
        await service.scan("invoices", began=START + 400 * DAY)
        for hour in range(1, 30):
            service.clock.time = START + hour * HOUR
            await service.scan("invoices", *(service.clock.time - number for number in range(10)))
        after = service.polling.rates.usually("invoices")
        assert sum(after) > 5 * sum(before)
