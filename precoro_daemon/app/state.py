"""the state that the configuration names, and the paths of the files beside it

Code that interprets `settings.state` belongs in this module.
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
"""The runtime directory of the shipped systemd units. Files of running services are in it or one level below."""


def state_of(settings: Settings) -> State:
    """Returns the configured state, not opened yet. Only this function maps an address to its engine."""
    if settings.state.server is not None:
        from precoro_daemon.adapters.state.postgresql.state import PostgresState

        return PostgresState(server_of(settings.state), schema(settings), identity(settings))
    return SqliteState(settings.state.path, identity(settings))


def fenced_state(settings: Settings, holding: Holding, worker: str, lease: float) -> State:
    """Returns the state, in the fleet's database, of a company that this process serves under a lease."""
    from precoro_daemon.adapters.state.postgresql.epoch_fence import EpochFence
    from precoro_daemon.adapters.state.postgresql.fleet_session import session_settings
    from precoro_daemon.adapters.state.postgresql.state import PostgresState

    server = server_of(settings.state, **session_settings(lease, worker))
    return PostgresState(server, schema(settings), identity(settings), fence=EpochFence(holding, worker, lease))


def on_server(settings: Settings) -> bool:
    """Checks whether the state is in a database, not in a file."""
    return settings.state.server is not None


def server_of(named: NamedState, **options: object) -> Server:
    """Returns the server of a state that is not in a file. `options` of libpq are added to those of its address."""
    from precoro_daemon.adapters.state.postgresql.server import Server

    password = None if named.password is None else named.password.get_secret_value()
    given = ((name, str(value)) for name, value in options.items())
    return Server(named.url, password, (*_encryption(named), *given))


def _encryption(named: NamedState) -> Iterator[tuple[str, str]]:
    """Yields the options that make libpq verify the certificate of a server on another machine."""
    if named.server is not None and not named.server.is_local:
        yield "sslmode", "verify-full"
        yield "sslrootcert", "system" if named.ca_file is None else str(named.ca_file)


def schema(settings: Settings) -> str:
    """Returns the company's schema in a database that may hold others.

    Unless configured, it consists of the company's label, for people, and a part of its unique identity.
    """
    if settings.state.schema_name is not None:
        return settings.state.schema_name
    label = re.sub("[^a-z0-9]+", "_", (settings.state.company or "").lower()).strip("_")
    return "_".join(filter(None, ("precoro", label[:40].strip("_"), identity(settings)[:8])))


def refuse_fork(settings: Settings) -> None:
    """Prevents a second mirror beside the configuration when the first one is in the working directory. Blocking.

    Raises StoreUnusable if this company's state is at the former place and none is at the configured one.
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
    """Checks whether both settings name the same state. Blocking."""
    if one.state.server is None and other.state.server is None:
        return place(one) == place(other)
    return one.state.url == other.state.url and schema(one) == schema(other)


def owner_of(settings: Settings) -> int | None:
    """Returns the user id of the state file's owner; None if it is on a server or does not exist. Blocking."""
    if settings.state.server is not None or not settings.state.path.exists():
        return None
    return settings.state.path.stat().st_uid


def act_for_owner(*companies: Settings) -> None:
    """Switches this process, if it runs as root, to the user who owns the states. Blocking.

    For states on a server, the owner of the companies' control sockets counts. Raises StoreUnusable.
    """
    act_as_owner(*(control_socket(one) if one.state.server else one.state.path.absolute() for one in companies))


def trial_state(path: Path) -> State:
    """Returns a state for calls made before the company has one. It is deleted with its directory."""
    return SqliteState(path, "trial")


@asynccontextmanager
async def open_or_borrow(settings: Settings) -> AsyncIterator[Store]:
    """Opens the state or, if there is none, a temporary one."""
    from anyio import TemporaryDirectory, to_thread

    async with AsyncExitStack() as stack:
        state = state_of(settings)
        if not await to_thread.run_sync(state.exists):
            folder = await stack.enter_async_context(TemporaryDirectory())
            state = trial_state(Path(folder, "check"))
        yield await stack.enter_async_context(state.open())


def identity(settings: Settings) -> str:
    """Returns a hash that identifies whose data a state holds.

    It covers Precoro's address and the company's label, or else the API user's e-mail.
    """
    whose = settings.state.company or settings.precoro.email.get_secret_value().lower()
    return blake2b(f"{settings.precoro.origin}\0{whose}".encode(), digest_size=16).hexdigest()


def label(settings: Settings) -> str:
    """Returns the company's configured label, "" if it has none."""
    return settings.state.company or ""


def company_name(settings: Settings) -> str:
    """Returns the company's name for people who hear of several: its label, or else the API user's e-mail."""
    return settings.state.company or settings.precoro.email.get_secret_value()


def address(settings: Settings) -> str:
    """Returns the state's address for people and for the log. A file's path is always absolute."""
    return settings.state.url if settings.state.server else f"sqlite:///{settings.state.path}"


def database(settings: Settings) -> str:
    """Returns where people find the data: a path, or the address of a server with the schema. Blocking."""
    server = settings.state.server
    return str(place(settings)) if server is None else f"{settings.state.url}, schema {schema(settings)}"


def place(settings: Settings) -> Path:
    """Returns the absolute path of the state or, if it is on a server, a stand-in path. Blocking.

    It is absolute because people may be in another directory than the service.
    """
    return (settings.state.path if settings.state.server is None else Path(schema(settings))).resolve()


def control_socket(settings: Settings) -> Path:
    """Returns the path of the control socket, the same wherever a command is typed. Blocking.

    Unless configured, it is beside a state that is a file. For a state on a server it is in the directory that
    systemd gives to the running service; without one beside the configuration or, if that is not writable, in the
    working directory.
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
    """Checks whether the path exists. True also without the right to check: its user must see that error."""
    try:
        path.lstat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def kill_switch(settings: Settings) -> Path:
    """Returns the path of the kill-switch file, the same for the service and wherever a command is typed."""
    return settings.payments.kill_switch or settings.state.directory.absolute() / "payments.stop"


def stopped_by(path: Path) -> str:
    """Returns why nothing may be sent, "" if sending is allowed. Blocking.

    If the file's existence cannot be checked, it counts as existing.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return f"whether the kill-switch file {path} is there cannot be seen: {error.strerror}"
    return f"the kill-switch file {path} is there"


def demand_state(settings: Settings) -> None:
    """Raises StoreUnusable if there is no state, or not this company's. Blocking.

    It is for commands that need an existing state: another directory is easily mistaken for that of the service.
    """
    state_of(settings).demand()


async def back_up_state(settings: Settings, target: Path, *, replace: bool) -> Backup:
    """Writes a backup of the state to `target`, over an existing one only with `replace`. Raises StoreUnusable."""
    from anyio import to_thread

    return await to_thread.run_sync(partial(state_of(settings).back_up, target, replace=replace))


async def restore_state(settings: Settings, backup: Path) -> Restored:
    """Restores the state from a backup. Raises StoreHeld, StoreUnusable."""
    from anyio import to_thread

    return await to_thread.run_sync(state_of(settings).restore, backup)
