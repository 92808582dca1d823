"""Runs and services tell people what needs them, once, and give signs of life."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from precoro_daemon.app.company import polling_of
from precoro_daemon.app.notices import notices_of
from precoro_daemon.app.runs import Wish, run
from precoro_daemon.app.state import state_of
from precoro_daemon.app.values import limits
from precoro_daemon.app.watch import Watched
from precoro_daemon.errors import AuthenticationError
from precoro_daemon.quota.budget import Budget
from precoro_daemon.status.pulse import Pulse
from precoro_daemon.status.snapshot import Tallies
from tests.adapters.notices.receiving import Receiver, receiver
from tests.mirror.stage import Stage, stage


def notify(there: Receiver) -> dict[str, object]:
    return {"targets": there.target, "heartbeat": there.heartbeat}


async def run_of(on: Stage) -> None:
    await run(on.settings, on.clock(), Wish(command="precoro-daemon --config acme.toml"))


@pytest.mark.asyncio
async def test_runs_tell_a_refused_key_once_and_that_it_is_mended(tmp_path: Path) -> None:
    async with receiver() as there, stage(tmp_path, sections={"notify": notify(there)}) as on:
        await run_of(on)
        assert (there.titles, there.pings) == ([], 1)
        right = on.sandbox.token
        on.sections["precoro"] = {"token": "not-the-right-one"}
        for _ in range(2):
            with pytest.raises(AuthenticationError):
                await run_of(on)
        assert (len(there.titles), there.pings) == (1, 1)
        assert there.titles[0].endswith("1 thing needs you: Precoro refuses the key")
        assert "precoro-daemon --config acme.toml check" in there.messages[0]["message"]
        on.sections["precoro"] = {"token": right}
        await run_of(on)
        assert there.titles[1:] == [there.titles[0].replace("1 thing needs you", "mended")]
        assert there.pings == 2


@pytest.mark.asyncio
async def test_what_could_not_be_sent_is_sent_by_the_next_run_and_ends_none(tmp_path: Path) -> None:
    async with receiver() as there, stage(tmp_path, sections={"notify": notify(there)}) as on:
        on.sections["precoro"] = {"token": "not-the-right-one"}
        there.status = 503
        with pytest.raises(AuthenticationError):
            await run_of(on)
        there.status = 200
        with pytest.raises(AuthenticationError):
            await run_of(on)
        assert len(there.titles) == 1


@pytest.mark.asyncio
async def test_a_service_tells_what_stands_and_gives_signs_of_life_while_it_is_ready(tmp_path: Path) -> None:
    sections: dict[str, dict[str, object]] = {"limits": {"time_scale": 600}}
    async with receiver() as there, stage(tmp_path, sections=sections, time_scale=600) as on:
        await run_of(on)
        sections["notify"] = notify(there) | {"heartbeat_every": 300, "digest": "0 * * * *"}
        settings = on.settings
        clock = on.clock()
        pulse = Pulse(clock.now())
        async with state_of(settings).open() as store:
            polling = polling_of(settings, store, clock, Budget(limits(settings)))
            watched = Watched(pulse, Tallies(), Budget(limits(settings)), polling, clock)
            async with notices_of(settings, watched, store.notice_book):
                await until(lambda: there.pings > 0)
                pulse.refused = "config.toml:3: precoro.region: read 'moon'"
                await until(lambda: any("cannot be used" in title for title in there.titles))
                pulse.refused = ""
                await until(lambda: any("mended" in title for title in there.titles))
                await until(lambda: any("all is well" in title for title in there.titles))
                pulse.stopping = True
                await anyio.sleep(1.0)
                before = there.pings
                await anyio.sleep(1.0)
                assert there.pings == before
    news = [title for title in there.titles if "things" not in title and "all is well" not in title]
    assert len([title for title in news if "1 thing needs you: " in title]) == 1


async def until(happened: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not happened():  # noqa: ASYNC110 - another process tells it
            await anyio.sleep(0.05)
