"""turns the errors of pydantic into sentences for the operator"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from msgspec import Struct, field
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from precoro_daemon.settings.lines import KeyPath
from precoro_daemon.settings.model import SECRETS, Settings, model_in
from precoro_daemon.settings.values import Allowed, Clash, without_credentials

_SHOWN_CHARS = 60
_AFTER_THE_FILE = 1_000_000


class Mistake(Struct, frozen=True):
    """A mistake to correct. Mistakes are sorted by line in the file; those from other sources follow."""

    line: int
    where: str
    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.key}: {self.text}"


class Origins(Struct, frozen=True):
    """The origin of each value: a line of the file, or of the file below it, or a variable of the environment."""

    file: str | None = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    variables: Mapping[KeyPath, str] = field(default_factory=dict)
    below: Origins | None = None

    def mistake(self, path: KeyPath, text: str) -> Mistake:
        line, where = self._where(path)
        return Mistake(line, where, dotted(path), text)

    def where(self, path: KeyPath) -> str:
        """Returns the origin for use within a sentence, "" for a value that is not given."""
        known = path in self.variables or path in self.lines or (self.below is not None and path in self.below.lines)
        return self._where(path)[1] if known else ""

    def _where(self, path: KeyPath) -> tuple[int, str]:
        """Returns the sort key and the origin. For a missing value, it is the beginning of its section."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.variables:
                return _AFTER_THE_FILE, self.variables[path[:end]]
            if path[:end] in self.lines:
                return self.lines[path[:end]], f"{self.file}:{self.lines[path[:end]]}"
            if self.below is not None and path[:end] in self.below.lines:
                line = self.below.lines[path[:end]]
                return _AFTER_THE_FILE // 2 + line, f"{self.below.file}:{line}"
        below = (name for known, name in self.variables.items() if known[: len(path)] == path)
        return _AFTER_THE_FILE, next(below, self.file or "environment")


def dotted(path: KeyPath) -> str:
    """Returns the path as text: mirror_collections.collections[2]."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def explain(error: ValidationError, origins: Origins) -> Iterator[Mistake]:
    for details in error.errors(include_url=False):
        yield _explain_one(details, origins)


def _explain_one(details: Mapping[str, Any], origins: Origins) -> Mistake:
    path: KeyPath = tuple(part for part in details["loc"] if part != "[key]")
    clash = details.get("ctx", {}).get("error")
    if isinstance(clash, Clash):
        return _explain_clash(path, clash, origins)
    setting, names = _find_setting(path)
    if details["type"] == "extra_forbidden":
        return origins.mistake(path, f"unknown key{_guess(path[-1], names)}; allowed: {', '.join(names)}")
    allowed = _allowed(setting, names, of_key="[key]" in details["loc"])
    if details["type"] == "missing":
        return origins.mistake(path, f"missing; give {allowed.text}")
    value = _shown(details["input"], setting)
    guess = _guess(details["input"], allowed.choices)
    return origins.mistake(path, f"{value} is not valid{guess}; expected {allowed.text}")


def _explain_clash(path: KeyPath, clash: Clash, origins: Origins) -> Mistake:
    below = (int(part) if part.isdecimal() else part for part in clash.at.split("."))
    path = (*path, *below) if clash.at else path
    other = origins.where(tuple(clash.also.split(".")))
    return origins.mistake(path, f"{clash} (see {clash.also}, {other})" if other else str(clash))


def _find_setting(path: KeyPath) -> tuple[FieldInfo | None, tuple[str, ...]]:
    """Returns the setting at a path, and the names beside it (or below it, if the path names a section)."""
    model: type[BaseModel] = Settings
    setting: FieldInfo | None = None
    for part in path:
        if part in model.model_fields:
            setting = model.model_fields[str(part)]
            model = model_in(setting.annotation) or model
    secret = {path[-1] for path in SECRETS}  # they may not stand in the file
    return setting, tuple(name for name in model.model_fields if name not in secret)


def _allowed(setting: FieldInfo | None, names: tuple[str, ...], *, of_key: bool) -> Allowed:
    """Returns what a setting allows as its value, or as a key of its table. Its last declaration counts. A section
    allows the names of its keys.
    """
    said = () if setting is None else _of_keys(setting) if of_key else metadata_of(setting)
    return _last_word(said) or Allowed(f"a section with {', '.join(names)}")


def allowed_of(setting: FieldInfo) -> Allowed | None:
    """Returns what the setting declares as allowed, if anything."""
    return _last_word(metadata_of(setting))


def _last_word(said: Iterable[Any]) -> Allowed | None:
    allowed = [word for word in said if isinstance(word, Allowed)]
    return allowed[-1] if allowed else None


def _of_keys(setting: FieldInfo) -> Sequence[Any]:
    keys, *_ = get_args(setting.annotation)
    return getattr(keys, "__metadata__", ())


def metadata_of(setting: FieldInfo) -> Iterator[Any]:
    """Yields the metadata of the setting's type, also of `Annotated[...] | None`, where pydantic leaves it inside."""
    for part in get_args(setting.annotation):
        yield from getattr(part, "__metadata__", ())
    yield from setting.metadata


def _shown(value: Any, setting: FieldInfo | None) -> str:
    if setting and _is_secret(setting.annotation):
        return "a value that is not shown here"
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = without_credentials(text)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _is_secret(annotation: Any) -> bool:
    """Checks whether the annotation contains a secret, also one that is optional or has validators."""
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))


def _guess(value: Any, choices: tuple[str, ...]) -> str:
    close = get_close_matches(value.lower(), choices, n=1, cutoff=0.7) if isinstance(value, str) else []
    return f' (did you mean "{close[0]}"?)' if close else ""
