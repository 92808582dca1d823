"""What a command loads: nothing that it does not use, as people wait for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import anyio
import click
import pytest

from precoro_daemon.app.state import state_of
from precoro_daemon.cli import main
from precoro_daemon.cli.program import ENTRIES, Program
from precoro_daemon.settings import Settings, load


def loaded_by(*arguments: str, **variables: str) -> set[str]:
    """The modules that a process has in the end, whatever its exit code."""
    program = (
        "import atexit, sys; from precoro_daemon.cli import main\n"
        "atexit.register(lambda: print('\\n', *sys.modules, file=sys.__stdout__))\n"
        f"main({list(arguments)!r})"
    )
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    return set(done.stdout.splitlines()[-1].split())


async def _made(settings: Settings) -> None:
    async with state_of(settings).open():
        pass


def test_the_help_loads_the_command_line_and_no_command() -> None:
    loaded = loaded_by("--help")
    assert "click" in loaded
    rooms = {name for name in loaded if name.startswith("precoro_daemon.")}
    assert rooms <= {
        "precoro_daemon.errors",
        "precoro_daemon.values",
        "precoro_daemon.values.visible_text",
        *(f"precoro_daemon.cli{module}" for module in ("", ".commands", ".output", ".program", ".running")),
    }
    assert not loaded & {"asyncio", "anyio", "dataclasses", "pathlib", "pydantic", "rich", "shutil", "sqlite3"}


@pytest.mark.parametrize("name", ENTRIES)
def test_each_command_that_the_help_lists_is_there_and_is_said_in_one_line(name: str) -> None:
    assert isinstance(main, Program)
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert len(ENTRIES[name].about) <= 78 - 2 - 2 - max(map(len, ENTRIES))


def test_the_status_loads_no_client_no_log_and_no_repository(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[precoro]\nregion = "us"\nemail = "x@example.com"\n', "utf-8")
    settings = load(config, {}, spare=("precoro",))
    anyio.run(_made, settings)
    loaded = loaded_by("--config", str(config), "status")
    assert "precoro_daemon.cli.status_tables" in loaded
    assert not loaded & {"aiohttp", "structlog", "yarl", "pydantic_settings", "prometheus_client", "psycopg"}
    assert not loaded & {
        "asyncio",
        "anyio",
        "logging",
        "importlib.metadata",
        "precoro_daemon.adapters.state.repositories",
    }
    assert _rooms(loaded, "payments.rules.events", "exports.ports", "settings.ledger_", "settings.exports") <= {
        "precoro_daemon.exports.ports", "precoro_daemon.exports.ports.pushes",
        "precoro_daemon.settings.ledger_values",
    }  # fmt: skip


def _rooms(loaded: set[str], *beginnings: str) -> set[str]:
    return {name for name in loaded if name.startswith(tuple(f"precoro_daemon.{one}" for one in beginnings))}


def test_a_run_without_terminal_or_ledger_loads_nothing_that_draws_on_one_or_speaks_to_one(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[precoro]\nbase_url = "http://127.0.0.1:1"\nemail = "x@example.com"\n', "utf-8")
    loaded = loaded_by("--config", str(config), "--once", "--for", "1s", PRECORO_TOKEN="a-key-of-its-own")
    assert {"aiohttp", "structlog"} <= loaded
    assert not {name for name in loaded if name.partition(".")[0] in ("rich", "pygments", "oauthlib")}
    assert _rooms(loaded, "adapters.ledgers.", "payments.rules.events", "payments.ports.journal") == set()
    assert _rooms(loaded, "exports.follow", "files.fetch", "catalogue.manage", "mirror.apply_deliveries") == set()


def test_a_service_loads_no_metrics_page_or_exports_before_the_configuration_asks_for_them() -> None:
    program = "import sys; from precoro_daemon.app.process import serve; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "precoro_daemon.app.served" in loaded
    assert "prometheus_client" not in loaded
    assert _rooms(loaded, "adapters.listener.w", "adapters.exports.", "app.payments") == set()
