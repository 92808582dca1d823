"""The seam to the state: one module reads the setting and names an engine, and what stands beside it is found."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from anyio import to_thread

import precoro_daemon
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.app.company_files import read_companies
from precoro_daemon.app.state import control_socket, identity, kill_switch, place, refuse_fork
from precoro_daemon.errors import StoreUnusable
from precoro_daemon.settings import Settings, load

PACKAGE = Path(precoro_daemon.__file__).parent


def settings(url: str, **more: object) -> Settings:
    precoro = {"base_url": "http://127.0.0.1:9", "email": "a@example.org", "token": "a-token-of-ours"}
    return Settings(precoro=precoro, state={"url": url}, **more)  # type: ignore[arg-type]


ENDS_AND_LEASES = {"moving.py", "fleet_commands.py"}
"""They speak to both engines, or to the database that keeps the leases beside the states."""


def test_one_module_reads_the_setting_and_names_the_engine() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        if path == PACKAGE / "app" / "state.py":
            assert "adapters.state.sqlite.state import SqliteState" in text
            continue
        if path.name in ENDS_AND_LEASES or path.parent.name == "settings":
            continue
        tree = ast.parse(text) if ".state" in text else ast.Module([], [])
        read = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "state"]
        assert not [node for node in read if isinstance(node.value, ast.Name) and node.value.id == "settings"], path
        if "adapters" not in path.parts:
            assert "adapters.state.sqlite" not in text, path


def test_socket_and_switch_stand_beside_the_state_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "data" / "state.db")
    linked = settings(f"sqlite:///{tmp_path}/link.db")
    assert place(linked) == tmp_path / "data" / "state.db"
    assert control_socket(linked) == tmp_path / "data" / "state.db.control"
    assert kill_switch(linked) == tmp_path / "payments.stop"


def test_they_may_stand_elsewhere(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    given = settings(url, daemon={"control_socket": "/run/it"}, payments={"kill_switch": "/elsewhere/stop"})
    assert control_socket(given) == Path("/run/it")
    assert kill_switch(given) == Path("/elsewhere/stop")


@pytest.fixture
def former(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory beside that of the configuration, where an older run kept its state."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "acme.toml").write_text('[precoro]\nregion = "us"\n[state]\nurl = "sqlite:///rel.db"\n')
    directory = tmp_path / "former"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory / "rel.db"


ENVIRON = {"PRECORO_TOKEN": "a-token-of-ours", "PRECORO_EMAIL": "a@example.org"}


@pytest.mark.anyio
async def test_a_state_of_the_working_directory_is_told_and_not_forked(tmp_path: Path, former: Path) -> None:
    config = tmp_path / "etc" / "acme.toml"
    named = await to_thread.run_sync(load, config, ENVIRON)
    await to_thread.run_sync(refuse_fork, named)
    async with SqliteState(former, identity(named)).open():
        pass
    with pytest.raises(StoreUnusable) as refusal:
        await to_thread.run_sync(refuse_fork, named)
    assert str(refusal.value) == (
        f"There is no state {tmp_path}/etc/rel.db, but this company's is {former}: relative paths start at the "
        f'configuration, no more at the working directory. Write url = "sqlite:///{former}" under [state].'
    )
    fleet = await to_thread.run_sync(read_companies, config.parent, ENVIRON)
    assert (fleet.companies, fleet.refused) == ({}, {"acme": str(refusal.value)})


@pytest.mark.anyio
async def test_what_is_called_as_the_state_and_is_none_of_ours_holds_nobody(tmp_path: Path, former: Path) -> None:
    config = tmp_path / "etc" / "acme.toml"
    named = await to_thread.run_sync(load, config, ENVIRON)
    async with SqliteState(former, "of-another-company").open():
        pass
    await to_thread.run_sync(refuse_fork, named)
    async with SqliteState(named.state.path, identity(named)).open():
        pass
    await to_thread.run_sync(former.unlink)
    async with SqliteState(former, identity(named)).open():
        pass
    await to_thread.run_sync(refuse_fork, named)  # the one that counts is there


@pytest.mark.anyio
async def test_an_absolute_path_has_no_former_place(tmp_path: Path, former: Path) -> None:
    named = settings(f"sqlite:///{tmp_path}/elsewhere.db")
    async with SqliteState(former.with_name("elsewhere.db"), identity(named)).open():
        pass
    await to_thread.run_sync(refuse_fork, named)
