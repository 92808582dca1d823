"""moves a company's state to another place, on the engine that the place's address names"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread
from pydantic import SecretStr, ValidationError

from precoro_daemon.adapters.state.moving import Movable, Moved, move
from precoro_daemon.app.state import identity, kill_switch, schema, server_of, stopped_by
from precoro_daemon.errors import ConfigurationError
from precoro_daemon.settings import Settings
from precoro_daemon.settings.credentials import CredentialError, read_credential
from precoro_daemon.settings.state import State as NamedState


@dataclass(frozen=True, slots=True)
class Place:
    """Where a state is to go: the keys of [state] that say so."""

    url: str
    schema_name: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """kill_switches: files that stop payments, at the former place and at the new one"""

    moved: Moved
    kill_switches: tuple[Path, Path]


async def move_state(
    settings: Settings,
    place: Place,
    *,
    armed: bool,
    replace_zeros: bool,
    on_rows: Callable[[str, int, int], None],
) -> Move:
    """Raises ConfigurationError, StoreHeld, StoreUnusable."""

    def work() -> Move:
        there = settings.model_copy(update={"state": _named(settings, place)})
        switches = kill_switch(settings), kill_switch(there)
        if armed:
            _refuse_unstopped(*switches)
        moved = move(_end(settings), _end(there), armed=armed, replace_zeros=replace_zeros, on_rows=on_rows)
        return Move(moved, switches)

    return await to_thread.run_sync(work)


def _refuse_unstopped(former: Path, new: Path) -> None:
    """What is stopped here is not to go on there."""
    if stopped_by(former) and not stopped_by(new):
        raise ConfigurationError(
            f"Payments are stopped by the file {former}, which is not looked for at the new place: put one at {new}, "
            "or move without --armed. Nothing was moved."
        )


def _named(settings: Settings, place: Place) -> NamedState:
    given = {key: value for key in ("schema_name", "ca_file") if (value := getattr(place, key)) is not None}
    try:
        named = NamedState(url=place.url, company=settings.state.company, **given)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigurationError(f"The place to move to cannot be used: {said}") from None
    password = settings.state.password
    if place.password_file is not None:
        try:
            password = SecretStr(read_credential(place.password_file))
        except CredentialError as error:
            raise ConfigurationError(f"The password file {place.password_file} cannot be used: {error}") from None
    return named.model_copy(update={"password": password}).based(settings.state.base)


def _end(settings: Settings) -> Movable:
    if settings.state.server is None:
        from precoro_daemon.adapters.state.sqlite.moving import SqliteEnd  # noqa: PLC0415 - only when it is needed

        return SqliteEnd(settings.state.path, identity(settings))
    from precoro_daemon.adapters.state.postgresql.moving import PostgresEnd  # noqa: PLC0415 - brings the driver

    return PostgresEnd(server_of(settings.state), schema(settings), identity(settings))
