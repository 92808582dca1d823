"""The seam to the state: one module reads the setting and names an engine, and what stands beside it is found."""

from __future__ import annotations

import ast
from pathlib import Path

import precoro_daemon
from precoro_daemon.app.state import control_socket, kill_switch, place
from precoro_daemon.settings import Settings

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
        read = [
            node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute) and node.attr == "state"
        ]
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
    given = settings(url, daemon={"control_socket": "run/control"}, payments={"kill_switch": "/elsewhere/stop"})
    assert control_socket(given) == tmp_path / "run" / "control"
    assert kill_switch(given) == Path("/elsewhere/stop")
    assert control_socket(settings(url, daemon={"control_socket": "/run/it"})) == Path("/run/it")
