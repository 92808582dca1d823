"""which companies a process serves: a directory of files, and what no two of them may share"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from precoro_daemon.app.state import address, control_socket, identity, place, refuse_fork
from precoro_daemon.app.values import credentials_of
from precoro_daemon.errors import ConfigurationError, StoreUnusable
from precoro_daemon.settings import Fleet, Log, Settings, Shared, State, Watch, load_company, load_defaults, locate
from precoro_daemon.values.addresses import Address

_COMPANY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
"""It stands in addresses, in labels of metrics and in the log."""


@dataclass(frozen=True, slots=True)
class CompanyFiles:
    """What a directory says.

    webhooks   where they come in for all companies
    fleet      how it is one worker of several
    state      of a company with none of its own
    companies  by the names of their files
    refused    why a company cannot be served by its file
    """

    watch: Watch
    webhooks: Address | None
    log: Log
    fleet: Fleet = field(default_factory=Fleet)
    state: State = field(default_factory=State)
    companies: Mapping[str, Settings] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def leased(self) -> bool:
        """Companies are shared with other workers, through the database of their states."""
        return self.state.server is not None


def path_of(directory: Path, company: str) -> Path:
    return directory / f"{company}.toml"


def read_companies(directory: Path, environ: Mapping[str, str]) -> CompanyFiles:
    """Blocking. Raises ConfigurationError where no company can be served: no directory, or mistakes in defaults.toml
    that are not of one company."""
    if not (names := _names(directory)):
        raise ConfigurationError(f"{directory}: there is no company's file in it, such as acme.toml")
    return _read(directory, names, environ)


def read_newcomer(directory: Path, name: str, environ: Mapping[str, str]) -> Settings:
    """Of a file that is hidden so far, held against the companies that are there. Blocking. Raises ConfigurationError
    if it could not be one of them."""
    found = _read(directory, [*_names(directory), name], environ)
    if (reason := found.refused.get(name)) is not None:
        raise ConfigurationError(reason)
    return found.companies[name]


def _read(directory: Path, names: Sequence[str], environ: Mapping[str, str]) -> CompanyFiles:
    shared = load_defaults(directory, environ)
    companies: dict[str, Settings] = {}
    refused: dict[str, str] = {}
    for name in names:
        try:
            settings = load_company(_fit(path_of(directory, name)), environ, shared)
            refuse_fork(settings)
            companies[name] = _of_fleet(settings, directory, name, shared)
        except (ConfigurationError, StoreUnusable) as error:
            refused[name] = str(error)
    alike = dict(_alike(directory, companies, environ))
    own = {name: settings for name, settings in companies.items() if name not in alike}
    listen = shared.deliveries.listen
    return CompanyFiles(shared.watch, listen, shared.log, shared.fleet, shared.state, own, refused | alike)


def _of_fleet(settings: Settings, directory: Path, name: str, shared: Shared) -> Settings:
    """Only the database that keeps the leases can refuse a worker that was replaced, so it keeps the states too."""
    if shared.state.server is not None and address(settings) != shared.state.url:
        raise ConfigurationError(
            f"{path_of(directory, name)}: state.url: {address(settings)} is not the database of the fleet; a "
            f"company of a fleet has no state.url of its own, and takes that of {directory / 'defaults.toml'}"
        )
    return settings


def _fit(path: Path) -> Path:
    if not _COMPANY_NAME.fullmatch(path.name.removesuffix(".toml").removeprefix(".")):
        raise ConfigurationError(f"{path}: a company's file is named with letters, digits, - and _")
    return path


def _names(directory: Path) -> list[str]:
    """Of the files that are neither hidden nor what all have in common."""
    try:
        found = sorted(path.stem for path in directory.iterdir() if path.suffix == ".toml")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigurationError(f"{directory}: the directory of companies cannot be read: {reason}") from None
    return [name for name in found if name != "defaults" and not name.startswith(".")]


def _place_of_files(settings: Settings) -> Iterator[object]:
    """A directory by where it is, a bucket by its server too."""
    section = settings.fetch_attachments
    if isinstance(section.directory, Path):
        yield section.directory.resolve()
    elif section.directory is not None:
        yield _Bucket(str(section.directory), section.bucket.endpoint)


class _Bucket(NamedTuple):
    url: str
    endpoint: object

    def __str__(self) -> str:
        return self.url


_APART: Mapping[tuple[str, str], tuple[str, Callable[[Settings], Iterator[object]]]] = {
    ("state", "url"): ("the state {shown}", lambda one: iter([place(one)])),
    ("precoro", "email"): (
        "the company (precoro.base_url, region or email, state.company)",
        lambda one: iter([identity(one)]),
    ),
    ("precoro", "token_file"): ("the API key", lambda one: iter([credentials_of(one).fingerprint])),
    ("daemon", "control_socket"): ("the control socket {shown}", lambda one: iter([control_socket(one)])),
    ("apply_deliveries", "secret_file"): (
        "the webhooks' secret",
        lambda one: iter(set(one.apply_deliveries.secrets)),
    ),
    ("fetch_attachments", "directory"): ("the place of attached files, {shown},", _place_of_files),
    ("notify", "heartbeat"): (
        "the address for signs of life",
        lambda one: iter(filter(None, [one.notify.heartbeat])),
    ),
}
"""What belongs to one company alone, by its key, with what gives its value. `shown` is a path or a bucket."""


_OWNERS_NAMED = 3


def _alike(
    directory: Path, companies: Mapping[str, Settings], environ: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Each company that has in common with another what it must have for itself, and why it is refused."""
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for key, (what, value_of) in _APART.items():
        owners: defaultdict[object, list[str]] = defaultdict(list)
        for name, settings in companies.items():
            for value in value_of(settings):
                owners[value].append(name)
        for value, names in owners.items():
            for name in names if len(names) > 1 else ():
                others = [str(path_of(directory, one)) for one in names if one != name]
                more = [f"{len(others) - _OWNERS_NAMED:,} more"] if len(others) > _OWNERS_NAMED else []
                shown = value if isinstance(value, Path | _Bucket) else ""
                text = f"{what.format(shown=shown)} is also that of {' and '.join(others[:_OWNERS_NAMED] + more)}"
                reasons[name].append(locate(path_of(directory, name), environ, key, text))
    for name, found in reasons.items():
        yield name, "\n".join(found)
