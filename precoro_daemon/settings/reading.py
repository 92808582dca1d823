"""file, environment and credential files → values with their origins → Settings"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from precoro_daemon.errors import ConfigurationError
from precoro_daemon.settings.credentials import CredentialError, read_credential
from precoro_daemon.settings.fleet import Fleet
from precoro_daemon.settings.lines import KeyPath, line_numbers
from precoro_daemon.settings.listening import ApplyDeliveries, Watch
from precoro_daemon.settings.mistakes import Mistake, Origins, explain
from precoro_daemon.settings.model import ANY_NAME, SECRETS, Settings
from precoro_daemon.settings.paths import anchored
from precoro_daemon.settings.sections import Log
from precoro_daemon.settings.state import State
from precoro_daemon.settings.toml_file import read_toml

_PREFIX = "precoro_daemon__"
_SHORT_NAMES = {"precoro_token": "precoro_daemon__precoro__token", "precoro_email": "precoro_daemon__precoro__email"}
_DEFAULT_FILE = Path("config.toml")
_SYSTEMD = "CREDENTIALS_DIRECTORY"
_CREDENTIALS: Mapping[KeyPath, str] = {
    ("precoro", "token"): "precoro_token",
    ("state", "password"): "state_password",
    ("ledger", "sql", "password"): "ledger_password",
    ("ledger", "rest", "token"): "ledger_token",
    ("ledger", "xero", "token"): "ledger_token",
    ("ledger", "quickbooks", "token"): "ledger_token",
    ("ledger", "odoo", "token"): "ledger_token",
    ("ledger", "business_central", "token"): "ledger_token",
    ("manage_items", "sql", "password"): "items_password",
    ("fetch_attachments", "bucket", "secret"): "bucket_secret",
    ("apply_deliveries", "secret"): "webhook_secret",
    ("apply_deliveries", "previous_secret"): "webhook_previous_secret",
    ("notify", "targets"): "notify_targets",
}
"""systemd's name for each secret. For an export it begins with the export's name: lake_bucket_secret."""

_DEMANDED: frozenset[KeyPath] = frozenset(
    {
        ("precoro", "token"),
        ("apply_deliveries", "secret"),
        ("ledger", "rest", "token"),
        ("ledger", "xero", "token"),
        ("ledger", "quickbooks", "token"),
        ("ledger", "odoo", "token"),
        ("ledger", "business_central", "token"),
    }
)
"""Secrets that must be given. The others are optional."""

_STAND_IN = "whsec_whatIsWrongWithTheTokenWasSaid00"
"""A placeholder that has a valid form for every secret."""
_ABSENT = "a-secret-that-this-command-does-not-need"

_DEFAULTS = "defaults.toml"
"""The file with the settings that the companies of one directory share."""

_OF_THE_PROCESS: Sequence[KeyPath] = (("watch",), ("log",), ("fleet",), ("apply_deliveries", "listen"))
"""Settings of the process, which its companies cannot have each for itself."""

Tree = dict[str, Any]


@dataclass(frozen=True)
class _File:
    """A configuration file. `below` is the file merged under it, None if there is none."""

    name: str | None = None
    values: Tree = field(default_factory=dict)
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    below: _File | None = None

    @cached_property
    def base(self) -> Path:
        """The directory at which relative paths start: that of the file itself, even if it is reached by a link, so
        that both ways lead to the same state. Without a file, the working directory.
        """
        return Path.cwd() if self.name is None else Path(self.name).resolve().parent

    @property
    def merged(self) -> Tree:
        return self.values if self.below is None else _layered(self.below.values, self.values)

    def origins(self, variables: Mapping[KeyPath, str] | None = None) -> Origins:
        below = None if self.below is None else Origins(self.below.name, dict(self._lines_below(self.below)))
        return Origins(self.name, self.lines, variables or {}, below)

    def _lines_below(self, below: _File) -> Iterator[tuple[KeyPath, int]]:
        """Yields the lines below that are in use: our list replaces the whole list below it."""
        for path, line in below.lines.items():
            above: Any = self.values
            for part in path:
                above = above.get(part) if isinstance(above, dict) else above
            if above is None or isinstance(above, dict):
                yield path, line


def load(path: Path | None, environ: Mapping[str, str], *, spare: Collection[str] = ()) -> Settings:
    """Returns the settings from the file, overridden by the environment. Raises ConfigurationError, which lists all
    mistakes at once.

    path     None: config.toml in the working directory if there is one, else the environment alone
    environ  PRECORO_DAEMON__SECTION__KEY overrides any key, PRECORO_TOKEN and PRECORO_EMAIL are short for two
             of them; an empty variable counts as absent
    spare    sections whose secret will not be used, so that its absence is no mistake: systemd provides credentials
             only while the service runs

    If defaults.toml is beside the file, the file belongs to one company of several, and the defaults are merged
    under it.
    """
    return _settings(_read(path), environ, spare)


def load_company(path: Path, environ: Mapping[str, str], shared: Shared) -> Settings:
    """Does the same for one company of a process that serves several. All companies share the defaults read once."""
    return _settings(replace(_read_file(path), below=shared.file), environ, ())


def locate(path: Path, environ: Mapping[str, str], key: KeyPath, text: str) -> str:
    """Returns a message about a company's key, after the file and line of the key, which may be in defaults.toml."""
    origins = _read_company(path).origins({_path(name): given for name, (given, _) in _variables(environ).items()})
    return str(origins.mistake(key, text))


class Shared(NamedTuple):
    """The settings that a process of several companies takes from defaults.toml.

    state  of a company without one of its own; a PostgreSQL database makes the process a worker of a fleet
    file   merged under each company's file
    """

    watch: Watch
    deliveries: ApplyDeliveries
    log: Log
    fleet: Fleet
    state: State
    file: _File


def load_defaults(directory: Path, environ: Mapping[str, str]) -> Shared:
    """Returns the settings of the process. Raises ConfigurationError, which lists their mistakes."""
    file = _read_defaults(directory)
    variables = _variables(environ)
    origins = file.origins({_path(name): given for name, (given, _) in variables.items()})
    values = _merge(file.values, _from_environment({name: text for name, (_, text) in variables.items()}))
    listen = {
        name: value for name, value in (_section(values, ("apply_deliveries",)) or {}).items() if name == "listen"
    }
    unfound = _where(("state", "password"), values, file, origins, environ)
    taken = {name: values.get(name, {}) for name in ("watch", "log", "fleet", "state")} | {"apply_deliveries": listen}
    settings, mistakes = _validate(_stand_in(taken), origins)
    if settings is None or unfound:
        raise ConfigurationError("\n".join(map(str, sorted([*unfound, *mistakes], key=lambda one: one.line))))
    settings = anchored(settings, file.base)
    return Shared(settings.watch, settings.apply_deliveries, settings.log, settings.fleet, settings.state, file)


def _stand_in(taken: Tree) -> Tree:
    """Completes a configuration: placeholders replace the keys that each company has to give for itself."""
    if "listen" in taken["apply_deliveries"]:
        taken["apply_deliveries"]["secret"] = _ABSENT
    return taken | {"precoro": {"region": "international", "email": "nobody@example.com", "token": _STAND_IN}}


def _settings(file: _File, environ: Mapping[str, str], spare: Collection[str]) -> Settings:
    variables = _variables(environ)
    origins = file.origins({_path(name): given for name, (given, _) in variables.items()})
    values = _merge(file.merged, _from_environment({name: text for name, (_, text) in variables.items()}))
    values.setdefault("precoro", {})
    mistakes = [mistake for secret in _secrets(values) for mistake in _where(secret, values, file, origins, environ)]
    if file.below is not None:
        mistakes += _refuse_for_itself(file)
        _without_secret_no_webhooks(values)
    for secret in _DEMANDED:
        if secret[0] in spare and (section := _section(values, secret[:-1])) is not None:
            section.setdefault(str(secret[-1]), _ABSENT)
    settings, more = _validate(values, origins)
    if settings is None or mistakes:
        lines = [str(one) for one in sorted([*mistakes, *more], key=lambda one: (one.line, one.where))]
        if file.name is None:
            lines.insert(0, f"there is no ./{_DEFAULT_FILE} here, and --config names no other file")
        raise ConfigurationError("\n".join(lines))
    return anchored(settings, file.base, environ.get("RUNTIME_DIRECTORY", ""))


def check_values(
    values: Mapping[str, Any], given: Mapping[KeyPath, str]
) -> tuple[Settings | None, Sequence[Mistake]]:
    """Validates values that are in no file yet, with their secrets. `given` names the origin of each value."""
    return _validate(dict(values), Origins(variables=given))


def _secrets(values: Tree) -> Iterator[KeyPath]:
    """Yields the paths of possible secrets, in the sections that exist."""
    for path in SECRETS:
        if ANY_NAME not in path:
            yield path
            continue
        at = path.index(ANY_NAME)
        section = _section(values, path[:at]) or {}
        yield from ((*path[:at], name, *path[at + 1 :]) for name in section)


def _credential(secret: KeyPath) -> str:
    """Returns systemd's name for the secret."""
    return _CREDENTIALS[secret] if secret in _CREDENTIALS else "_".join((str(secret[1]), *map(str, secret[2:])))


def load_watch(path: Path | None, environ: Mapping[str, str]) -> Watch:
    """Returns [watch] alone, by which a running service is asked for its health. Mistakes in other sections do not
    matter. Raises ConfigurationError.
    """
    file = _read(path)
    values = _merge(file.merged, _from_environment({name: text for name, (_, text) in _variables(environ).items()}))
    section = values.get("watch", {})
    try:
        return Watch(**section)
    except (ValidationError, TypeError):
        return load(path, environ).watch  # which lists what is wrong


def _read(path: Path | None) -> _File:
    if path is None and not _DEFAULT_FILE.exists():
        return _File()
    path = path or _DEFAULT_FILE
    if path.name != _DEFAULTS and path.with_name(_DEFAULTS).exists():
        return _read_company(path)
    return _read_file(path)


def _read_company(path: Path) -> _File:
    return replace(_read_file(path), below=_read_defaults(path.parent))


def _read_defaults(directory: Path) -> _File:
    path = directory / _DEFAULTS
    return _read_file(path) if path.exists() else _File(str(path))


def _refuse_for_itself(file: _File) -> Iterator[Mistake]:
    for path in _OF_THE_PROCESS:
        if (section := _section({"": file.values}, ("", *path[:-1]))) and path[-1] in section:
            text = f"companies beside a {_DEFAULTS} have this in common; it belongs there"
            yield Origins(file.name, file.lines).mistake(path, text)


def _without_secret_no_webhooks(values: Tree) -> None:
    """Turns webhooks off for a company without a secret. Companies that share a port for webhooks need one each."""
    section = _section(values, ("apply_deliveries",))
    if section is not None and not {"secret", "secret_file"} & section.keys():
        section.pop("listen", None)


def _read_file(path: Path) -> _File:
    text, values = read_toml(path)
    return _File(str(path), values, _with_secrets(line_numbers(text)))


def _with_secrets(lines: dict[KeyPath, int]) -> Mapping[KeyPath, int]:
    """Gives each secret the line of the key that names its file."""
    named = {secret: lines.get((*secret[:-1], f"{secret[-1]}_file")) for secret in SECRETS}
    return {secret: line for secret, line in named.items() if line is not None} | lines


def _variables(environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Returns our variables: full lower-case name → given name, and text. A full name overrides its short form."""
    ours: dict[str, tuple[str, str]] = {}
    for given, text in environ.items():
        name = _SHORT_NAMES.get(given.lower(), given.lower())
        if text.strip() and name.startswith(_PREFIX) and (name == given.lower() or name not in ours):
            ours[name] = given, text
    return ours


def _path(name: str) -> KeyPath:
    return tuple(name.removeprefix(_PREFIX).split("__"))


def _from_environment(variables: dict[str, str]) -> Tree:
    """Returns the variables as sections. A plain value given for a section stays, so that it is reported as a
    mistake.
    """
    values: Tree = {}
    for name, text in sorted(variables.items()):
        *sections, key = _path(name)
        below: Any = values
        for section in sections:
            below = below.setdefault(section, {}) if isinstance(below, dict) else None
        if isinstance(below, dict):
            below[key] = text
    return values


def _merge(below: Tree, above: Tree) -> Tree:
    """Merges key by key. If `below` has a plain value for a section, it stays, so that it is reported as a
    mistake.
    """
    merged = dict(below)
    for key, value in above.items():
        if key not in below or not isinstance(value, dict):
            merged[key] = value
        elif isinstance(below[key], dict):
            merged[key] = _merge(below[key], value)
    return merged


def _layered(below: Tree, above: Tree) -> Tree:
    """Merges table by table; any other value above replaces the one below."""
    both = {
        key for key in below.keys() & above.keys() if isinstance(below[key], dict) and isinstance(above[key], dict)
    }
    return below | above | {key: _layered(below[key], above[key]) for key in both}


def _where(secret: KeyPath, values: Tree, file: _File, origins: Origins, environ: Mapping[str, str]) -> list[Mistake]:
    """Sets a secret from the environment, else from its file, else from systemd's credential. Returns the
    mistakes.
    """
    section = _section(values, secret[:-1])
    if section is None:
        return []
    mistakes = _refuse_in(file, secret)
    named = f"{secret[-1]}_file"
    if secret in origins.variables:
        # A user who gives the secret itself does not want the file read, now or later.
        section.pop(named, None)
        return mistakes
    found = None
    try:
        found = _find(_credential(secret), section.get(named), file.base, environ)
    except CredentialError as error:
        mistakes.append(_explain_credential(error, secret, named in section, origins))
    if found or mistakes:
        section[str(secret[-1])] = found or _STAND_IN
    return mistakes


def _section(values: Tree, path: KeyPath) -> Tree | None:
    """Returns the section at a path, None if there is none. The sections on the way are copied, so that they can be
    changed.
    """
    for name in path:
        below = values.get(str(name))
        if not isinstance(below, dict):
            return None
        values[str(name)] = values = dict(below)
    return values


def _refuse_in(file: _File, secret: KeyPath) -> list[Mistake]:
    below = [] if file.below is None else _refuse_in(file.below, secret)
    section = _section(dict(file.values), secret[:-1])
    if section is None or secret[-1] not in section:
        return below
    text = f"a secret does not belong in this file; put it into a file of its own and name that as {secret[-1]}_file"
    return [Origins(file.name, file.lines).mistake(secret, text), *below]


def _find(credential: str, file: object, base: Path, environ: Mapping[str, str]) -> str | None:
    if isinstance(file, str):
        return read_credential(base / file)
    directory = environ.get(_SYSTEMD)
    if directory and (path := Path(directory) / credential).exists():
        return read_credential(path)
    return None


def _explain_credential(error: CredentialError, secret: KeyPath, from_file: bool, origins: Origins) -> Mistake:
    if from_file:
        return origins.mistake((*secret[:-1], f"{secret[-1]}_file"), str(error))
    return Origins(variables={secret: _SYSTEMD}).mistake(secret, f"{_credential(secret)}: {error}")


def _validate(values: Tree, origins: Origins) -> tuple[Settings | None, list[Mistake]]:
    try:
        return Settings(**values), []
    except ValidationError as error:
        return None, list(explain(error, origins))
