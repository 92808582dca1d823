"""Installations of one company come into a fleet: the plan, what is refused, the state, the file, cut off or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import anyio.to_thread
import pytest

from precoro_daemon.app.company_files import read_companies
from precoro_daemon.app.fleet_import import Newcomer, import_one, plan_import, sources_of
from precoro_daemon.app.moving import Move, Place, move_state
from precoro_daemon.app.state import schema, state_of
from precoro_daemon.errors import ConfigurationError, StoreHeld
from precoro_daemon.mirror.ports.deliveries import Delivery
from precoro_daemon.settings import load
from tests.adapters.state.postgresql.fleets import Tables, fleet_database

T = TypeVar("T")

pytestmark = pytest.mark.asyncio

KEPT = """[limits] # as agreed
per_day = 2000

[mirror_collections]
collections = [
    "invoices", "suppliers",
]
"""
PRIVATE = """
[watch]
listen = "127.0.0.1:9470"
hosts = [
    "a.example",   # and
    "b.example",
]

[log]
level = "debug"
"""


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "imported") as tables:
        yield tables


@dataclass
class Machine:
    """A fleet without companies so far, and installations beside it."""

    home: Path
    tables: Tables
    server: str

    def __post_init__(self) -> None:
        self.fleet.mkdir()
        self.old.mkdir()
        url = f"postgresql://postgres@{quote(self.server, safe='')}/{self.tables.name}"
        self.url = url
        (self.fleet / "defaults.toml").write_text(f'[state]\nurl = "{url}"\n')

    @property
    def fleet(self) -> Path:
        return self.home / "companies"

    @property
    def old(self) -> Path:
        return self.home / "old"

    async def install(self, name: str, more: str = "", *, key: str = "") -> Path:
        """With a state in which a webhook waits."""
        token = self.old / f"{name}.token"
        token.touch(mode=0o600)
        token.write_text(f"key-of-{key or name}-0123456789\n")
        path = self.old / f"{name}.toml"
        path.write_text(
            f'[precoro]\nregion = "us"\nemail = "{key or name}@example.org"\ntoken_file = "{token}"\n'
            f'[state]\nurl = "sqlite:///{self.old}/{name}.db"\n{more}\n{KEPT}'
        )
        settings = await in_thread(load, path, {})
        async with state_of(settings).open() as store:
            await store.deliveries.note([Delivery(3, 17)], at=1.0)
        return path

    async def plan(self, given: Path, name: str | None = None) -> list[Newcomer]:
        sources = await in_thread(sources_of, given, name)
        return list(await in_thread(plan_import, self.fleet, sources, {}))

    async def come(self, one: Newcomer) -> Move | None:
        nobody = lambda *_: None  # noqa: E731
        return await import_one(self.fleet, one, {}, armed=False, replace_zeros=False, on_rows=nobody)

    async def waiting(self, name: str) -> list[int]:
        settings = (await in_thread(read_companies, self.fleet, {})).companies[name]
        async with state_of(settings).open_read_only() as store:
            return [one.id for one in await store.deliveries.due(now=1e12, limit=9)]


async def in_thread(work: Callable[..., T], *values: object) -> T:
    return await anyio.to_thread.run_sync(partial(work, *values))


@pytest.fixture
def machine(tmp_path: Path, tables: Tables, postgres: str) -> Machine:
    return Machine(tmp_path, tables, postgres)


async def test_files_and_states_of_a_directory_come_and_nothing_happens_before(machine: Machine) -> None:
    await machine.install("acme", PRIVATE)
    await machine.install("bolt")
    acme, bolt = await machine.plan(machine.old)
    assert (acme.refused, bolt.refused) == ("", "")
    assert acme.left_out == ["state.url", "watch.listen", "watch.hosts", "log.level"]
    assert bolt.left_out == ["state.url"]
    assert [path.name for path in machine.fleet.iterdir()] == ["defaults.toml"], "the plan leaves nothing behind"
    for one in (acme, bolt):
        done = await machine.come(one)
        assert done is not None
        assert done.moved.rows["deliveries"] == 1
        assert await machine.waiting(one.name) == [17]
    text = (machine.fleet / "acme.toml").read_text()
    assert KEPT in text
    assert "sqlite" not in text
    assert "[watch]" not in text
    files = await in_thread(read_companies, machine.fleet, {})
    assert (sorted(files.companies), files.refused) == (["acme", "bolt"], {})
    assert files.companies["acme"].limits.per_day == 2000


async def test_what_cannot_come_is_told_and_stays_as_it_was(machine: Machine) -> None:
    first = await machine.install("acme")
    await machine.install("twin", key="acme")
    bolt = await machine.install("bolt")
    [acme] = await machine.plan(first)
    await machine.come(acme)
    refused = {one.name: one.refused for one in await machine.plan(machine.old)}
    assert refused["acme"] == f"{machine.fleet}/acme.toml is there already, for this company or another one"
    assert "precoro.email: the company" in refused["twin"]
    assert f"is also that of {machine.fleet}/acme.toml" in refused["twin"]
    assert refused["bolt"] == ""
    with pytest.raises(ConfigurationError, match="Give --name"):
        await in_thread(sources_of, machine.old / "config.toml", None)
    [named] = await machine.plan(bolt, "coal")
    settings = await in_thread(load, bolt, {})
    async with state_of(settings).open():
        with pytest.raises(StoreHeld):
            await machine.come(named)
    assert not (machine.fleet / "coal.toml").exists()
    await machine.come(named)
    assert await machine.waiting("coal") == [17]


async def test_an_import_that_was_cut_off_behind_the_move_is_repeated(machine: Machine) -> None:
    path = await machine.install("acme")
    [one] = await machine.plan(path)
    settings = await in_thread(load, path, {})
    there = settings.model_copy(update={"state": settings.state.model_copy(update={"url": machine.url})})
    await move_state(
        settings, Place(machine.url, schema(there)), armed=False, replace_zeros=False, on_rows=lambda *_: None
    )
    [again] = await machine.plan(path)
    assert again.refused == ""
    assert await machine.come(one) is None, "nothing was left to move"
    assert await machine.waiting("acme") == [17]


async def test_a_company_that_the_defaults_would_make_another_one_is_refused(machine: Machine) -> None:
    path = await machine.install("acme")
    path.write_text(path.read_text().replace('region = "us"\n', ""))
    defaults = machine.fleet / "defaults.toml"
    defaults.write_text(f'{defaults.read_text()}[precoro]\nregion = "us"\n')
    [one] = await machine.plan(path)
    assert one.refused.startswith(f"{path}:1: precoro.region: missing")
    path.write_text(path.read_text().replace("[precoro]", '[precoro]\nbase_url = "http://127.0.0.1:9"'))
    defaults.write_text(defaults.read_text().replace("[precoro]", '[precoro]\nbase_url = "http://127.0.0.1:8"'))
    [one] = await machine.plan(path)
    assert "region" in one.refused
    (machine.fleet / "defaults.toml").write_text('[state]\nurl = "sqlite:///a.db"\n')
    with pytest.raises(ConfigurationError, match="there is no fleet"):
        await in_thread(plan_import, machine.fleet, {}, {})


async def test_a_path_that_starts_at_its_file_is_told_since_it_would_start_elsewhere(machine: Machine) -> None:
    path = await machine.install("acme")
    path.write_text(path.read_text().replace(f"{machine.old}/", ""))
    [one] = await machine.plan(path)
    assert one.refused == f"{path}: write these paths with all their directories: precoro.token_file"
