"""the state that the configuration names, and where what stands beside it is

Whatever reads `settings.state` stands here.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from precoro_daemon.adapters.host.identity import act_as_owner
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.errors import StoreUnusable

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.ports import Backup, Restored, State, Store
    from precoro_daemon.adapters.state.postgresql.server import Server
    from precoro_daemon.runtime.tenure import Holding
    from precoro_daemon.settings import Settings
    from precoro_daemon.settings.state import State as NamedState

_OF_UNITS = Path("/run/precoro-daemon")
"""Where the shipped units of systemd let a service keep what exists while it runs, or in a directory there."""


def state_of(settings: Settings) -> State:
    """Nothing is opened yet. The only place that knows which engine an address is for."""
    if settings.state.server is not None:
        from precoro_daemon.adapters.state.postgresql.state import PostgresState

        return PostgresState(server_of(settings.state), schema(settings), identity(settings))
    return SqliteState(settings.state.path, identity(settings))


def fenced_state(settings: Settings, holding: Holding, worker: str, lease: float) -> State:
    """Of a company that this process serves by a lease, in the database of its fleet."""
    from precoro_daemon.adapters.state.postgresql.epoch_fence import EpochFence
    from precoro_daemon.adapters.state.postgresql.fleet_session import session_settings
    from precoro_daemon.adapters.state.postgresql.state import PostgresState

    server = server_of(settings.state, **session_settings(lease, worker))
    return PostgresState(server, schema(settings), identity(settings), fence=EpochFence(holding, worker, lease))


def on_server(settings: Settings) -> bool:
    """Whether the state is in a database, not in a file."""
    return settings.state.server is not None


def server_of(named: NamedState, **options: object) -> Server:
    """The server of a state that is not in a file. `options` of libpq count beside what its address says."""
    from precoro_daemon.adapters.state.postgresql.server import Server

    password = None if named.password is None else named.password.get_secret_value()
    given = ((name, str(value)) for name, value in options.items())
    return Server(named.url, password, (*_encryption(named), *given))


def _encryption(named: NamedState) -> Iterator[tuple[str, str]]:
    """A server that is not on this machine proves who it is."""
    if named.server is not None and not named.server.is_local:
        yield "sslmode", "verify-full"
        yield "sslrootcert", "system" if named.ca_file is None else str(named.ca_file)


def schema(settings: Settings) -> str:
    """Of the company, in a database that may have others: its name for people, and what no other company has."""
    if settings.state.schema_name is not None:
        return settings.state.schema_name
    label = re.sub("[^a-z0-9]+", "_", (settings.state.company or "").lower()).strip("_")
    return "_".join(filter(None, ("precoro", label[:40].strip("_"), identity(settings)[:8])))


def refuse_fork(settings: Settings) -> None:
    """Who used the working directory before must not begin a second mirror beside the configuration. Blocking.

    Raises StoreUnusable where this company's state is at the former place, and none at the one that counts.
    """
    former = settings.state.started_elsewhere(Path.cwd())
    if former is None or not former.is_file() or settings.state.path.exists():
        return
    try:
        SqliteState(former, identity(settings)).demand()
    except StoreUnusable:
        return  # somebody else's file that happens to be called so
    raise StoreUnusable(
        f"There is no state {settings.state.path}, but this company's is {former}: relative paths start at the "
        f'configuration, no more at the working directory. Write url = "sqlite:///{former}" under [state].'
    )


def same_state(one: Settings, other: Settings) -> bool:
    """Whether both name one place. Blocking."""
    if one.state.server is None and other.state.server is None:
        return place(one) == place(other)
    return one.state.url == other.state.url and schema(one) == schema(other)


def owner_of(settings: Settings) -> int | None:
    """The user whose file the state is; None for one on a server, or where there is none. Blocking."""
    if settings.state.server is not None or not settings.state.path.exists():
        return None
    return settings.state.path.stat().st_uid


def act_for_owner(*companies: Settings) -> None:
    """Where root calls it, this process becomes the user whose states they are or, where those are on a server, whose
    sockets for commands stand there. Blocking. Raises StoreUnusable."""
    act_as_owner(*(control_socket(one) if one.state.server else one.state.path.absolute() for one in companies))


def trial_state(path: Path) -> State:
    """For calls before there is a state: it is forgotten with its folder."""
    return SqliteState(path, "trial")


@asynccontextmanager
async def open_or_borrow(settings: Settings) -> AsyncIterator[Store]:
    """The state or, where there is none, one that is forgotten afterwards."""
    from anyio import TemporaryDirectory, to_thread

    async with AsyncExitStack() as stack:
        state = state_of(settings)
        if not await to_thread.run_sync(state.exists):
            folder = await stack.enter_async_context(TemporaryDirectory())
            state = trial_state(Path(folder, "check"))
        yield await stack.enter_async_context(state.open())


def identity(settings: Settings) -> str:
    """Whose data a state holds: the company's label, or else the API user's e-mail, at one address. Only a hash."""
    whose = settings.state.company or settings.precoro.email.get_secret_value().lower()
    return blake2b(f"{settings.precoro.origin}\0{whose}".encode(), digest_size=16).hexdigest()


def label(settings: Settings) -> str:
    """What the company is called in the configuration, "" if nothing."""
    return settings.state.company or ""


def company_name(settings: Settings) -> str:
    """For people who hear of several: its label, or else the API user's e-mail."""
    return settings.state.company or settings.precoro.email.get_secret_value()


def address(settings: Settings) -> str:
    """For people and for the log: of a file absolute, whatever the configuration has."""
    return settings.state.url if settings.state.server else f"sqlite:///{settings.state.path}"


def database(settings: Settings) -> str:
    """Where people find the data: a path, or the address of a server with the schema. Blocking."""
    server = settings.state.server
    return str(place(settings)) if server is None else f"{settings.state.url}, schema {schema(settings)}"


def place(settings: Settings) -> Path:
    """Where it is, or what would stand in its place if it is on a server, for people who may be in another directory
    than the service. Blocking."""
    return (settings.state.path if settings.state.server is None else Path(schema(settings))).resolve()


def control_socket(settings: Settings) -> Path:
    """Wherever a command is typed, it must find the service that holds the state. Blocking.

    Beside a state that is a file. Else in the directory that systemd gives to the service for as long as it runs;
    without one beside the configuration or, where nothing can be written there, in the working directory.
    """
    if settings.daemon.control_socket is not None:
        return settings.daemon.control_socket
    if settings.state.server is None:
        return Path(f"{place(settings)}.control")
    name = f"{schema(settings)}.control"
    if settings.state.runtime_directory is not None:
        return settings.state.runtime_directory / name
    beside, here = settings.state.directory.absolute() / name, Path(name).absolute()
    candidates = (beside, _OF_UNITS / name, *_OF_UNITS.glob(f"*/{name}"), here)
    return next(filter(_is_there, candidates), beside if os.access(beside.parent, os.W_OK) else here)


def _is_there(path: Path) -> bool:
    """Or cannot be looked at, which its user has to hear."""
    try:
        path.lstat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def kill_switch(settings: Settings) -> Path:
    """Wherever a command is typed: what one stops by it, the service must see."""
    return settings.payments.kill_switch or settings.state.directory.absolute() / "payments.stop"


def stopped_by(path: Path) -> str:
    """Why nothing is sent, "" if it may be. Blocking. What cannot be looked at may be there."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return f"whether the kill-switch file {path} is there cannot be seen: {error.strerror}"
    return f"the kill-switch file {path} is there"


def demand_state(settings: Settings) -> None:
    """For what makes no sense without one: another directory is soon mistaken for that of the service. Blocking.

    Raises StoreUnusable if there is none, or not this company's.
    """
    state_of(settings).demand()


async def back_up_state(settings: Settings, target: Path, *, replace: bool) -> Backup:
    """Raises StoreUnusable."""
    from anyio import to_thread

    return await to_thread.run_sync(partial(state_of(settings).back_up, target, replace=replace))


async def restore_state(settings: Settings, backup: Path) -> Restored:
    """Raises StoreHeld, StoreUnusable."""
    from anyio import to_thread

    return await to_thread.run_sync(state_of(settings).restore, backup)
