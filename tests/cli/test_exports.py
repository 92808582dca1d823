"""`exports`: what was pushed, and what a person wants of it, beside a service too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from click.testing import CliRunner, Result

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.app.control import open_control
from precoro_daemon.app.pushes import pushes_prober
from precoro_daemon.app.state import state_of
from precoro_daemon.cli import main
from precoro_daemon.exports.ports.pushes import Push
from precoro_daemon.exports.rules.pushing import new_push
from precoro_daemon.mirror.rules.change_log import Move
from precoro_daemon.runtime.scheduler import Dependencies, Scheduler
from precoro_daemon.settings import Settings, load
from tests.contracts.listing import listed, record

CONFIG = """
[precoro]
base_url = "http://127.0.0.1:9"
email = "a@example.org"
[state]
url = "sqlite:///{0}/state.db"
[exports.shop]
kind = "push"
url = "https://shop.example.com/hook"
secret_file = "{0}/secret"
[exports.lake]
kind = "parquet"
directory = "{0}/lake"
"""
AT = 1_750_000_000.0
DEAD = replace(new_push("shop", "invoices", 2, 2, AT), state="dead", tried_at=AT, attempts=9, answer="answered 422")
WAITS = replace(new_push("shop", "invoices", 3, 3, AT), tried_at=AT, attempts=1, answer="answered 400")
DONE = replace(new_push("shop", "invoices", 1, 1, AT), state="delivered", tried_at=AT, attempts=1)

Exports = Callable[..., Result]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("whsec_" + "QUJD" * 8)
    (tmp_path / "secret").chmod(0o600)
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(tmp_path))
    return path


@pytest.fixture
def settings(config: Path) -> Settings:
    return load(config, {}, spare=("precoro",))


@pytest.fixture
def exports(config: Path, settings: Settings) -> Exports:
    async def fill() -> None:
        async with state_of(settings).open() as store:
            await listed(store.mirror, record(1), record(2))
            await store.push_book.save("shop", [DONE, DEAD])
            await store.push_book.stop("shop", "abc")
            await store.export_feed.move(Move("shop", 0, 2), "note")

    asyncio.run(fill())
    return lambda *words: CliRunner().invoke(main, ["exports", *words, "--config", str(config)])


def pushes(settings: Settings) -> Sequence[Push]:
    async def read() -> Sequence[Push]:
        async with state_of(settings).open_read_only() as store:
            return await store.push_book.listed("shop", dead=False, limit=9)

    return asyncio.run(read())


def test_what_was_pushed_is_shown(exports: Exports) -> None:
    shown = exports("show").output
    assert "shop: at change 2, has everything; in its log 1 delivered, 0 waiting, 1 dead." in shown
    assert "It stopped, as its receiver answered 410 Gone." in shown
    assert shown.count(DEAD.id) == 2, "in the log and among the dead letters"
    assert "answered 422" in shown
    [one] = json.loads(exports("show", "shop", "--json").stdout)["exports"]
    assert (one["behind"], one["stopped"], [each["id"] for each in one["dead"]]) == (0, True, [DEAD.id])


def test_status_has_what_waits_and_what_is_dead(exports: Exports, config: Path, settings: Settings) -> None:
    async def save() -> None:
        async with state_of(settings).open() as store:
            await store.push_book.save("shop", [WAITS])

    asyncio.run(save())
    words = ["status", "--config", str(config)]
    shown = " ".join(CliRunner().invoke(main, words).output.split())
    assert "Exports: shop has everything, 1 waits to be pushed again, 1 dead letter; lake has not begun." in shown
    said = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)["exports"]
    assert said["shop"] == {"changes_behind": 0, "waiting": 1, "dead_letters": 1, "gone": True}
    assert said["lake"] == {"changes_behind": None, "waiting": 0, "dead_letters": 0, "gone": False}


def test_dead_letters_are_sent_again_or_dropped(exports: Exports, settings: Settings) -> None:
    assert exports("replay", "shop").output == "1 dead letter of shop to be pushed again\n"
    assert {one.state for one in pushes(settings)} == {"delivered", "waiting"}
    done = exports("drop", "shop", DEAD.id)
    assert done.output == "dropped 1 letter of shop; a record goes out again when it changes\n"
    assert [one.id for one in pushes(settings)] == [DONE.id]
    assert "has no such push" in exports("drop", "shop", "--all").output


@pytest.mark.parametrize(
    ("since", "said"),
    [
        ("0", "shop pushes everything anew that changed behind change 0"),
        ("2001-01-01", "behind change 0"),
        ("2999-01-01", "behind change 2"),
        ("soon", "'soon' is no moment; write 0 for everything, or a date"),
    ],
)
def test_all_since_a_moment_is_pushed_anew(exports: Exports, since: str, said: str) -> None:
    assert said in exports("replay", "shop", "--from", since).output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "lake"), 2, "there is no export 'lake' of kind push in the configuration; there is: shop"),
        (("replay", "crm"), 2, "there is no export 'crm'"),
        (("drop", "shop"), 2, "name the ID of one, or --all"),
        (("drop", "shop", "x", "--all"), 2, "name the ID of one, or --all"),
    ],
)
def test_what_cannot_be_is_said(exports: Exports, words: Sequence[str], code: int, said: str) -> None:
    done = exports(*words)
    assert (done.exit_code, said in done.output) == (code, True), done.output


def test_beside_a_service_that_does_it(exports: Exports, settings: Settings) -> None:
    async def beside() -> Result:
        async with state_of(settings).open() as store:
            pushing = partial(pushes_prober, settings, store, RealClock())
            probes = {"replay_pushes": pushing("replay_pushes"), "drop_pushes": pushing("drop_pushes")}
            scheduler = Scheduler([], Dependencies(RealClock(), lambda: None, store.lap_book))
            async with open_control(settings, None, scheduler, probes):
                return await anyio.to_thread.run_sync(lambda: exports("drop", "shop", "--all"))

    done = asyncio.run(beside())
    assert done.output == "dropped 1 letter of shop; a record goes out again when it changes\n"
    assert [one.id for one in pushes(settings)] == [DONE.id]
