"""makes relative paths of the configuration absolute, from the directory of its file"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from precoro_daemon.settings.model import Settings

M = TypeVar("M", bound=BaseModel)


def anchored(settings: Settings, base: Path, runtime: str = "") -> Settings:
    """Returns the same settings with absolute paths, so that the working directory does not matter."""
    settings = _anchored_section(settings, base)
    return settings.model_copy(update={"state": settings.state.based(base, runtime)})


def named_paths(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Yields the key and the path of each given path."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from named_paths(value, f"{prefix}{name}.")
        elif isinstance(value, dict):
            for key, below in value.items():
                yield from named_paths(below, f"{prefix}{name}.{key}.") if isinstance(below, BaseModel) else ()
        else:
            every = value if isinstance(value, tuple) else (value,)
            yield from ((f"{prefix}{name}", path) for path in every if isinstance(path, Path))


def _anchored_section(section: M, base: Path) -> M:
    values = {name: getattr(section, name) for name in type(section).model_fields}
    moved = {name: _anchored(value, base) for name, value in values.items()}
    changed = {name: value for name, value in moved.items() if value is not values[name]}
    return section.model_copy(update=changed) if changed else section


def _anchored(value: Any, base: Path) -> Any:
    if isinstance(value, BaseModel):
        return _anchored_section(value, base)
    if isinstance(value, Path):
        return base / value
    if isinstance(value, dict) and any(isinstance(below, BaseModel) for below in value.values()):
        return {key: _anchored(below, base) for key, below in value.items()}
    if isinstance(value, tuple) and any(isinstance(item, Path) for item in value):
        return tuple(_anchored(item, base) for item in value)
    return value
