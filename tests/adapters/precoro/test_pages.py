"""The page walk: pages in flight, handed out in order."""

from __future__ import annotations

from typing import get_args

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.adapters.precoro.pages import LAST, MOST_HELD, count_rows
from precoro_daemon.errors import BudgetSpent, DaemonError, MalformedAnswer, NotFound, Refused, ServerFault
from precoro_daemon.mirror.rules.cursors import Page
from tests.adapters.precoro.scripted import SIZE, Meta, ScriptedList, ids

METAS = [meta for meta in get_args(Meta) if meta != "none"]
REFUSALS = [NotFound("no such page"), Refused("page must be a number"), ServerFault("500"), MalformedAnswer("html")]


@given(st.integers(0, 15), st.sampled_from(METAS), st.integers(1, 6), st.data())
def test_every_page_comes_once_and_in_order(count: int, meta: Meta, in_flight: int, data: st.DataObject) -> None:
    listed = ScriptedList(count, meta)
    start = data.draw(st.integers(1, listed.pages))
    pages = anyio.run(listed.read, start, in_flight)
    assert [page.number for page in pages] == list(range(start, listed.pages + 1))
    assert ids(pages) == list(range((start - 1) * SIZE + 1, count + 1))
    assert pages[-1].is_last


@given(st.integers(0, 15), st.sampled_from(METAS), st.booleans(), st.integers(1, 6))
def test_it_never_asks_farther_ahead_than_it_may(count: int, meta: Meta, understood: bool, in_flight: int) -> None:
    listed = ScriptedList(count, meta, faults={} if understood else {LAST: REFUSALS[0]})
    anyio.run(listed.read, 1, in_flight)
    assert listed.farthest <= in_flight
    if meta != "has_next" or understood:
        assert [number for number in listed.asked if number != LAST] == list(range(1, listed.pages + 1))


@pytest.mark.asyncio
async def test_a_list_without_paging_is_one_page() -> None:
    listed = ScriptedList(2, "none")
    assert ids(await listed.read()) == [1, 2]
    assert listed.asked == [1]


@pytest.mark.asyncio
async def test_the_last_page_asked_for_by_name_gives_every_page_the_count() -> None:
    listed = ScriptedList(7, "has_next")
    assert [page.total for page in await listed.read()] == [7, 7, 7, 7]
    assert listed.asked[:2] == [1, LAST]
    assert [page.total for page in await listed.read(start=3)] == [7, 7]


@pytest.mark.asyncio
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda error: type(error).__name__)
async def test_where_the_name_is_not_understood_the_walk_feels_its_way(refusal: DaemonError) -> None:
    listed = ScriptedList(7, "has_next", faults={LAST: refusal})
    pages = await listed.read()
    assert ids(pages) == list(range(1, 8))
    assert {page.total for page in pages} == {None}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "contradiction",
    [
        pytest.param(Page(1, (), has_next=False), id="it is the first one"),
        pytest.param(Page(3, (), has_next=True), id="it has a next one"),
    ],
)
async def test_a_last_page_that_contradicts_itself_is_not_believed(contradiction: Page) -> None:
    class Contradictory(ScriptedList):
        def page(self, number: int | str) -> Page:
            return contradiction if number == LAST else super().page(number)

    pages = await Contradictory(7, "has_next").read()
    assert ids(pages) == list(range(1, 8))
    assert {page.total for page in pages} == {None}


@pytest.mark.asyncio
async def test_what_ends_the_run_is_raised_even_where_it_only_asked_for_the_last_page() -> None:
    with pytest.raises(BudgetSpent):
        await ScriptedList(7, "has_next", faults={LAST: BudgetSpent("spent", resume_at=1.0)}).read()


@pytest.mark.asyncio
@pytest.mark.parametrize("meta", METAS)
async def test_a_list_that_grows_under_the_walk_is_read_to_its_new_end(meta: Meta) -> None:
    def grow(listed: ScriptedList) -> None:
        listed.count = 9

    listed = ScriptedList(5, meta, changes={2: grow})
    assert ids(await listed.read(in_flight=1)) == list(range(1, 10))


@pytest.mark.asyncio
@pytest.mark.parametrize("meta", METAS)
async def test_a_list_that_shrinks_under_the_walk_ends_where_it_says(meta: Meta) -> None:
    def shrink(listed: ScriptedList) -> None:
        listed.count = 3

    listed = ScriptedList(9, meta, changes={1: shrink})
    pages = await listed.read(in_flight=4)
    assert ids(pages) == [1, 2, 3]
    assert pages[-1].is_last


@pytest.mark.asyncio
@pytest.mark.parametrize("meta", METAS)
async def test_a_page_that_fails_is_raised_in_its_turn(meta: Meta) -> None:
    fault = ServerFault("500")
    listed = ScriptedList(9, meta, faults={3: fault})
    given_out: list[Page] = []

    async def take_all() -> None:
        async with listed.scan(in_flight=5) as scan:
            async for batch in scan:
                given_out.extend(batch)

    with pytest.raises(ServerFault) as failure:
        await take_all()
    assert failure.value is fault
    assert ids(given_out) == [1, 2, 3, 4]


@pytest.mark.asyncio
async def test_the_first_page_may_fail_too() -> None:
    with pytest.raises(MalformedAnswer):
        await ScriptedList(9, faults={1: MalformedAnswer("half a JSON")}).read()


@pytest.mark.asyncio
async def test_a_failure_behind_the_end_does_not_count() -> None:
    behind = {LAST: REFUSALS[0], **dict.fromkeys(range(5, 9), REFUSALS[0])}
    assert ids(await ScriptedList(7, "has_next", faults=behind).read(in_flight=4)) == list(range(1, 8))


@pytest.mark.asyncio
async def test_pages_that_arrived_meanwhile_come_as_one_batch() -> None:
    late = anyio.Event()
    listed = ScriptedList(9, held={2: late})
    async with listed.scan(in_flight=4) as scan:
        assert [page.number for page in await anext(scan)] == [1]
        while listed.under_way != 1:
            await checkpoint()
        late.set()
        assert [page.number for page in await anext(scan)] == [2, 3, 4, 5]
        with pytest.raises(StopAsyncIteration):
            await anext(scan)


@pytest.mark.asyncio
async def test_a_page_that_is_overtaken_holds_back_nothing_but_its_turn() -> None:
    late = anyio.Event()
    listed = ScriptedList(2 * 100, held={2: late, 5: late})
    async with listed.scan(in_flight=2) as scan:
        assert [page.number for page in await anext(scan)] == [1]
        await anyio.wait_all_tasks_blocked()
        assert sorted(map(int, listed.asked)) == list(range(1, 2 + MOST_HELD))
        assert listed.under_way == 2
        late.set()
        assert [page.number for page in await anext(scan)] == list(range(2, 2 + MOST_HELD))
        pages = [page.number async for batch in scan for page in batch]
    assert pages == list(range(2 + MOST_HELD, 101))


@pytest.mark.asyncio
async def test_a_slow_taker_holds_the_fetches_back() -> None:
    listed = ScriptedList(40)
    async with listed.scan(in_flight=3) as scan:
        await anext(scan)
        await anyio.wait_all_tasks_blocked()
        assert listed.asked == [1, 2, 3, 4]
        await anext(scan)
        await anyio.wait_all_tasks_blocked()
        assert listed.asked == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.asyncio
async def test_whoever_leaves_early_leaves_nothing_running() -> None:
    listed = ScriptedList(9, held={number: anyio.Event() for number in range(2, 6)})
    async with listed.scan() as scan:
        await anext(scan)
        await anyio.wait_all_tasks_blocked()
        assert listed.under_way == 3
    assert listed.under_way == 0


@pytest.mark.asyncio
async def test_cancellation_leaves_nothing_running() -> None:
    listed = ScriptedList(9, held={number: anyio.Event() for number in range(1, 6)})
    async with anyio.create_task_group() as group:
        group.start_soon(listed.read)
        await anyio.wait_all_tasks_blocked()
        assert listed.under_way == 1
        group.cancel_scope.cancel()
    assert listed.under_way == 0


@pytest.mark.asyncio
async def test_a_failure_of_the_taker_comes_out_as_what_it_is() -> None:
    listed = ScriptedList(9, held={2: anyio.Event()})

    async def take_one() -> None:
        async with listed.scan() as scan:
            await anext(scan)
            raise BudgetSpent("spent", resume_at=1.0)

    with pytest.raises(BudgetSpent):
        await take_one()
    assert listed.under_way == 0


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("listed", "rows", "calls"),
    [
        (ScriptedList(7, "both"), 7, [1]),
        (ScriptedList(0, "totals"), 0, [1]),
        (ScriptedList(7, "has_next"), 7, [1, LAST]),
        (ScriptedList(1, "has_next"), 1, [1]),
        (ScriptedList(2, "none"), 2, [1]),
        (ScriptedList(7, "has_next", faults={LAST: REFUSALS[0]}), SIZE, [1, LAST]),
    ],
)
async def test_rows_are_counted_by_one_call_or_two(listed: ScriptedList, rows: int, calls: list[int | str]) -> None:
    assert await count_rows(listed.fetch) == rows
    assert listed.asked == calls
