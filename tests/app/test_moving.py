"""A state goes to another directory: what stopped payments there stops them here too."""

from __future__ import annotations

from pathlib import Path

import pytest

from precoro_daemon.app.moving import Place, move_state
from precoro_daemon.app.state import kill_switch, state_of
from precoro_daemon.errors import ConfigurationError
from tests.app.test_state import settings

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("stopped", ["nowhere", "former", "both"])
async def test_payments_that_a_file_stops_do_not_go_on_at_another_place(tmp_path: Path, stopped: str) -> None:
    former, new = tmp_path / "former", tmp_path / "new"
    for directory in (former, new):
        directory.mkdir()
    given = settings(f"sqlite:///{former}/state.db")
    async with state_of(given).open() as store:
        await store.journal.arm(1.0)
    for directory in {"nowhere": (), "former": (former,), "both": (former, new)}[stopped]:
        (directory / "payments.stop").touch()
    assert kill_switch(given) == former / "payments.stop"

    async def move(*, armed: bool) -> str:
        place = Place(f"sqlite:///{new}/state.db")
        done = await move_state(given, place, armed=armed, replace_zeros=False, on_rows=lambda *_: None)
        return done.moved.switch

    if stopped == "former":
        with pytest.raises(ConfigurationError, match="or move without --armed"):
            await move(armed=True)
        assert await move(armed=False) == "disarmed"
    else:
        assert await move(armed=True) == "armed"
