"""What a person asks of a fleet, where its directory says what there is to ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from precoro_daemon.app.fleet_order import drain, forget, move, read_roster
from precoro_daemon.errors import ConfigurationError

pytestmark = pytest.mark.asyncio


async def test_the_defaults_are_read_while_the_loop_turns(tmp_path: Path) -> None:
    defaults = tmp_path / "defaults.toml"
    assert await read_roster(tmp_path, {}) is None
    defaults.write_text('[state]\nurl = "sqlite:///a.db"\n')
    assert await read_roster(tmp_path, {}) is None
    for asked in (drain(tmp_path, {}, "w1"), move(tmp_path, {}, "acme", "w1"), forget(tmp_path, {}, "acme")):
        with pytest.raises(ConfigurationError, match=rf"^{defaults}: there is no fleet: state.url is not that of"):
            await asked
