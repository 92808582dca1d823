"""imports installations of one company into a fleet: files to its directory, states to its database"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import to_thread

from precoro_daemon.app.company_files import path_of, read_newcomer
from precoro_daemon.app.moving import Move, Place, move_state
from precoro_daemon.app.state import address, identity, owner_of, same_state, schema, state_of
from precoro_daemon.errors import ConfigurationError, StoreUnusable
from precoro_daemon.settings import Settings, load, load_defaults
from precoro_daemon.settings.lines import KeyPath, line_numbers
from precoro_daemon.settings.paths import named_paths

_SPARE = ("precoro", "apply_deliveries", "ledger")
"""Sections whose secrets may be missing: systemd hands them only to the service, and an import makes no call."""

_OF_ALL: Sequence[KeyPath] = (
    *(("state", key) for key in ("url", "password_file", "ca_file")),
    ("watch",),
    ("log",),
    ("fleet",),
    ("apply_deliveries", "listen"),
)
"""The keys that all companies of a fleet share."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """One installation to import.

    left_out  keys of its file that a company of a fleet does not have
    refused   why it cannot be imported, "" if it can
    beside    whether its directory has a defaults.toml, which is not imported
    """

    name: str
    source: Path
    path: Path
    state: str = ""
    schema: str = ""
    left_out: Sequence[str] = ()
    refused: str = ""
    beside: bool = False


def sources_of(given: Path, name: str | None) -> Mapping[str, Path]:
    """Returns the configurations to import, by the names of their companies. Blocking. Raises ConfigurationError."""
    if given.is_dir():
        found = {one.stem: one for one in sorted(given.glob("*.toml")) if one.stem != "defaults"}
        if name is not None or not found:
            why = "there is no configuration in it" if name is None else "a name is for one configuration alone"
            raise ConfigurationError(f"{given}: {why}")
        return found
    if name is None and given.stem == "config":
        raise ConfigurationError(f"{given}: what is the company to be called? Give --name, such as --name acme")
    return {name or given.stem: given}


def plan_import(directory: Path, sources: Mapping[str, Path], environ: Mapping[str, str]) -> Sequence[Newcomer]:
    """Returns what an import would do for each installation, and changes nothing. Blocking.

    Raises ConfigurationError if the directory is not that of a fleet.
    """
    shared = load_defaults(directory, environ)
    if shared.state.server is None:
        path = directory / "defaults.toml"
        raise ConfigurationError(f"{path}: there is no fleet: state.url is not that of a PostgreSQL database")
    return [_plan(directory, name, source, environ) for name, source in sources.items()]


async def import_one(
    directory: Path,
    newcomer: Newcomer,
    environ: Mapping[str, str],
    *,
    armed: bool,
    replace_zeros: bool,
    on_rows: Callable[[str, int, int], None],
) -> Move | None:
    """Moves the company's state, then publishes its file. Returns None if the state was there already.

    An interrupted import can be repeated. Raises ConfigurationError, StoreUnusable, and StoreHeld if it runs.
    """
    settings, there = await to_thread.run_sync(_read_both, directory, newcomer, environ)
    done = None
    if not await to_thread.run_sync(_has_moved, settings, there):
        place = Place(there.state.url, schema(there), there.state.password_file, there.state.ca_file)
        done = await move_state(settings, place, armed=armed, replace_zeros=replace_zeros, on_rows=on_rows)
    await to_thread.run_sync(_let_appear, directory, newcomer)
    return done


def _read_both(directory: Path, newcomer: Newcomer, environ: Mapping[str, str]) -> tuple[Settings, Settings]:
    with _written(directory, newcomer.name, _text_for_fleet(newcomer.source)[0]) as hidden:
        return load(newcomer.source, environ, spare=_SPARE), read_newcomer(directory, hidden.stem, environ)


def _let_appear(directory: Path, newcomer: Newcomer) -> None:
    with _written(directory, newcomer.name, _text_for_fleet(newcomer.source)[0]) as hidden:
        hidden.replace(newcomer.path)


def _plan(directory: Path, name: str, source: Path, environ: Mapping[str, str]) -> Newcomer:
    path = path_of(directory, name)
    if path.exists():
        return Newcomer(name, source, path, refused=f"{path} is there already, for this company or another one")
    try:
        _, left_out = _text_for_fleet(source)
        _refuse_relative(source, load(source, environ, spare=_SPARE))
        settings, there = _read_both(directory, Newcomer(name, source, path), environ)
        came_from = _checked(settings, there)
    except (ConfigurationError, StoreUnusable) as error:
        return Newcomer(name, source, path, refused=str(error))
    beside = source.with_name("defaults.toml").exists()
    return Newcomer(name, source, path, came_from, schema(there), left_out, beside=beside)


def _checked(settings: Settings, there: Settings) -> str:
    """Returns the address of its state. Raises ConfigurationError or StoreUnusable if it cannot be imported."""
    if identity(there) != identity(settings):
        raise ConfigurationError(
            "beside the defaults of the fleet it would be another company (region, e-mail or state.company): say "
            "these in the company's own file"
        )
    owner = owner_of(settings)
    if os.geteuid() == 0 and owner not in (None, 0):  # who could lead root astray beside the state
        raise StoreUnusable(f"the state {address(settings)} belongs to another user: run this as that user")
    if not _has_moved(settings, there):
        state_of(settings).demand()
    return address(settings)


@contextmanager
def _written(directory: Path, name: str, text: str) -> Iterator[Path]:
    """Writes the company's file, hidden from readers of the directory.

    Deletes it afterwards unless it was renamed.
    """
    hidden = path_of(directory, f".{name}")
    try:
        hidden.write_text(text, encoding="utf-8")
        yield hidden
    except OSError as error:
        raise ConfigurationError(f"{hidden}: cannot be written: {(error.strerror or str(error)).lower()}") from None
    finally:
        hidden.unlink(missing_ok=True)


def _refuse_relative(source: Path, settings: Settings) -> None:
    """Raises ConfigurationError for relative paths, which would start at another directory in the fleet."""
    values = _without(tomllib.loads(source.read_text(encoding="utf-8-sig")))
    found = []
    for key, path in named_paths(settings):
        given: Any = values
        for part in key.split("."):
            given = given.get(part) if isinstance(given, dict) else None
        every = given if isinstance(given, list) else [given]
        if any(isinstance(one, str) and source.parent.absolute() / one == path and one != str(path) for one in every):
            found.append(key)
    if found:
        raise ConfigurationError(f"{source}: write these paths with all their directories: {', '.join(found)}")


def _has_moved(settings: Settings, there: Settings) -> bool:
    """Checks whether the state is in the fleet's database.

    It is there from the beginning, or since an import that was interrupted after the move.
    """
    if same_state(settings, there):
        return True
    try:
        state_of(there).demand()
    except StoreUnusable:
        return False
    try:
        state_of(settings).demand()
    except StoreUnusable as error:
        return "was moved to" in str(error)
    return False


def _text_for_fleet(source: Path) -> tuple[str, Sequence[str]]:
    """Returns the file's text for a company of a fleet, and the removed keys. Raises ConfigurationError."""
    text = source.read_text(encoding="utf-8-sig")
    values = tomllib.loads(text)
    lines = line_numbers(text)
    gone = {path for path in lines if any(path[: len(out)] == out for out in _OF_ALL)}
    named = [".".join(map(str, path)) for path in sorted(gone, key=lambda path: lines[path]) if _is_key(values, path)]
    wanted = _without(values)
    gone |= {(table,) for table in values.keys() - wanted.keys()}
    starts = sorted((line, path in gone) for path, line in lines.items())
    result = "".join(_kept_lines(text.splitlines(keepends=True), starts))
    try:
        same = tomllib.loads(result) == wanted
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise ConfigurationError(f"{source}: take these keys out yourself, the fleet has them: {', '.join(named)}")
    return result, named


def _kept_lines(lines: Sequence[str], starts: Sequence[tuple[int, bool]]) -> Sequence[str]:
    """Returns the lines without each removed entry, from its first line up to the next entry."""
    kept, leaving = [], False
    begins = dict(starts)
    for number, line in enumerate(lines, 1):
        leaving = begins.get(number, leaving)
        if not leaving:
            kept.append(line)
    return kept


def _without(values: Mapping[str, Any], above: KeyPath = ()) -> dict[str, Any]:
    """Returns the values without the shared keys, and without tables that this leaves empty."""
    kept = {}
    for name, value in values.items():
        if (path := (*above, name)) in _OF_ALL:
            continue
        one = _without(value, path) if isinstance(value, dict) else value
        if one != {} or value == {}:
            kept[name] = one
    return kept


def _is_key(values: Any, path: KeyPath) -> bool:
    for part in path:
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return not isinstance(values, dict)
