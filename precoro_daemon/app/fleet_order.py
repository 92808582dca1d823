"""what a person asks of a fleet, on any machine: who serves what, drain, move, forget"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from precoro_daemon.app.state import server_of
from precoro_daemon.errors import ConfigurationError, DecisionRefused
from precoro_daemon.settings import load_defaults

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.postgresql.fleet_commands import HolderRow, PostgresFleet, WorkerRow


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is there, who serves which company, and for which companies workers have different settings."""

    workers: Sequence[WorkerRow] = ()
    holders: Sequence[HolderRow] = ()
    differing: Mapping[str, Sequence[str]] = field(default_factory=dict)


async def read_roster(directory: Path, environ: Mapping[str, str]) -> Roster | None:
    """None where no fleet serves the companies of the directory. Raises StoreUnavailable, StoreUnusable."""
    if (fleet := await _fleet_of(directory, environ)) is None:
        return None
    async with fleet:
        return Roster(await fleet.workers(), await fleet.holders(), await fleet.differing())


async def drain(directory: Path, environ: Mapping[str, str], worker: str) -> str:
    """What there is to say of it. Raises DecisionRefused."""
    async with await _demanded(directory, environ) as fleet:
        if not await fleet.drain(worker):
            raise DecisionRefused(f"no living worker is called {worker}; {await _who_lives(fleet)}")
    return f"{worker} hands back what it serves, and takes nothing more until it is started again"


async def move(directory: Path, environ: Mapping[str, str], company: str, worker: str) -> str:
    """What there is to say of it. Raises DecisionRefused."""
    async with await _demanded(directory, environ) as fleet:
        if not await fleet.move(company, worker):
            known = {one.company for one in await fleet.holders()}
            if company not in known:
                raise DecisionRefused(f"the fleet has no company {company}; `fleet status` shows those it has")
            raise DecisionRefused(
                f"no living worker that takes companies is called {worker}; {await _who_lives(fleet)}"
            )
    return f"{company} moves to {worker}, and stays there until it is moved again or that worker ends"


async def forget(directory: Path, environ: Mapping[str, str], company: str) -> str:
    """What there is to say of it. Raises DecisionRefused."""
    async with await _demanded(directory, environ) as fleet:
        if not await fleet.forget(company):
            raise DecisionRefused(
                f"the fleet has no company {company}, or a worker serves it: take its file from every worker, reload "
                "them, and try again"
            )
    return f"the fleet has {company} no more; its state is as it was"


async def _fleet_of(directory: Path, environ: Mapping[str, str]) -> PostgresFleet | None:
    """None where there is none. Raises ConfigurationError."""
    shared = await to_thread.run_sync(load_defaults, directory, environ)
    if shared.state.server is None:
        return None
    from precoro_daemon.adapters.state.postgresql.fleet_commands import PostgresFleet  # noqa: PLC0415

    return PostgresFleet(server_of(shared.state).conninfo, shared.fleet.lease)


async def _demanded(directory: Path, environ: Mapping[str, str]) -> PostgresFleet:
    if (fleet := await _fleet_of(directory, environ)) is None:
        path = directory / "defaults.toml"
        raise ConfigurationError(f"{path}: there is no fleet: state.url is not that of a PostgreSQL database")
    return fleet


async def _who_lives(fleet: PostgresFleet) -> str:
    living = sorted({one.name for one in await fleet.workers() if one.left_s > 0 and not one.draining})
    return f"there {'is' if len(living) == 1 else 'are'} {', '.join(living) or 'none'}"
