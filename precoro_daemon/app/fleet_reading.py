"""reads the states of all companies of a directory, beside the process that serves them"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from precoro_daemon.app.company_files import read_companies
from precoro_daemon.app.state import control_socket
from precoro_daemon.app.state_reading import read_snapshot
from precoro_daemon.errors import DaemonError
from precoro_daemon.settings import Settings
from precoro_daemon.status.companies import CompanyGlance

_ANSWERS_WITHIN_S = 1.0


def read_fleet(
    directory: Path, environ: Mapping[str, str], command: Callable[[str], str], leased: Collection[str] | None = None
) -> Sequence[CompanyGlance]:
    """By name. `command`: how this program is called for a company · `leased`: those that a worker serves, where a
    fleet has the companies. Blocking. Raises ConfigurationError."""
    files = read_companies(directory, environ)
    found = [CompanyGlance(name, "refused", reason) for name, reason in files.refused.items()]
    for name, settings in files.companies.items():
        served = _is_served(settings) if leased is None else name in leased
        found.append(_glance(name, settings, command(name), served=served))
    return sorted(found, key=lambda one: one.name)


def _glance(name: str, settings: Settings, command: str, *, served: bool) -> CompanyGlance:
    try:
        return CompanyGlance(name, "running" if served else "waiting", "", read_snapshot(settings, command))
    except DaemonError as error:
        return CompanyGlance(name, "running" if served else "waiting", str(error))


def _is_served(settings: Settings) -> bool:
    """Who holds a state takes commands beside it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_ANSWERS_WITHIN_S)
        try:
            probe.connect(str(control_socket(settings)))
        except PermissionError:
            return True  # somebody's, who keeps others out
        except OSError:
            return False
    return True
