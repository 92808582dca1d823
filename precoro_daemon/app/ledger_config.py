"""the section of the configuration that a login knows, put at the file's end"""

from __future__ import annotations

import json
import os
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from precoro_daemon.errors import ConfigurationError

Value = str | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Section:
    """[ledger] and the table of its kind. name: of the ledger, for ever"""

    kind: str
    name: str
    values: Mapping[str, Value]

    @property
    def text(self) -> str:
        lines = [
            "[ledger]",
            f"kind = {_quoted(self.kind)}",
            "# Names the ledger in the journal of payments, for ever.",
            f"name = {_quoted(self.name)}",
            "",
            f"[ledger.{self.kind}]",
            *_lines(self.values),
        ]
        return "\n".join(lines) + "\n"

    @property
    def tree(self) -> Mapping[str, Any]:
        return {"kind": self.kind, "name": self.name, self.kind: dict(self.values)}


def _lines(values: Mapping[str, Value]) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, str):
            yield f"{key} = {_quoted(value)}"
        else:
            pairs = ", ".join(f"{name} = {_quoted(text)}" for name, text in value.items())
            yield f"{key} = {{ {pairs} }}"


def _quoted(text: str) -> str:
    """JSON's strings are TOML's, but for one control character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def configured(path: Path) -> Mapping[str, Any]:
    """[ledger] as the file has it, valid or not: a login may be what mends it. {} where there is none. Blocking.

    Raises ConfigurationError for a file that cannot be read as TOML.
    """
    try:
        found = tomllib.loads(path.read_bytes().decode("utf-8-sig")).get("ledger", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from None
    return found if isinstance(found, dict) else {}


def configured_file(config: Path, section: Mapping[str, Any], key: str) -> Path | None:
    """What the section names, from the directory of the configuration; None where it names nothing."""
    named = section.get(key)
    return config.resolve().parent / named if isinstance(named, str) and named else None


def add(path: Path, section: Section) -> Path | None:
    """Put it at the end of the file, which is kept beside it as it was; where, or None where nothing was changed.

    Nothing is changed where there is no such file, or where it has a [ledger] already. All else in it stays byte for
    byte. Blocking. Raises ConfigurationError.
    """
    path = path.resolve()
    if not path.exists() or configured(path):
        return None
    former = path.read_bytes()
    ending = b"" if former.endswith(b"\n") or not former else b"\n"
    new = former + ending + b"\n" + section.text.encode()
    with suppress(ValueError):
        if tomllib.loads(new.decode("utf-8-sig"))["ledger"] == section.tree:
            try:
                return _replace(path, former, new)
            except OSError as error:
                raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from None
    return None


def _replace(path: Path, former: bytes, new: bytes) -> Path:
    status = path.stat()
    backup = path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}.bak")
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    for target, content in ((backup, former), (partial, new)):
        _write(target, content, status)
    os.replace(partial, path)  # noqa: PTH105 - beside fsync
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return backup


def _write(path: Path, content: bytes, like: os.stat_result) -> None:
    """Durably, with the owner and mode of the file that it stands for: that one may hold what is not for all."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(file, like.st_uid, like.st_gid)
        os.fchmod(file, like.st_mode & 0o777)
        os.write(file, content)
        os.fsync(file)
    finally:
        os.close(file)


def secret_file(path: Path, secret: str) -> None:
    """Write a file that its owner alone can read, in place of a former one. Blocking. Raises ConfigurationError."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            os.write(file, secret.encode() + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
        os.replace(partial, path)  # noqa: PTH105
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {(error.strerror or '').lower()}") from None
