"""A place for configuration files, and short ways to load them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from precoro_daemon.errors import ConfigurationError
from precoro_daemon.settings import Settings, load

ACCESS = {"PRECORO_TOKEN": "s3cret-key", "PRECORO_EMAIL": "buyer@example.com"}
PRECORO = '[precoro]\nregion = "international"\n'

Load = Callable[..., Settings]
Mistakes = Callable[..., list[str]]
Mistake = Callable[..., str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    """A named pipe. Whoever opens it waits, and finds nothing in the end."""
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    end = threading.Timer(2, lambda: path.open("wb").close())
    end.start()
    yield path
    end.cancel()


@pytest.fixture
def read(file: Path) -> Load:
    """Settings from this text below a good [precoro], with the credentials in the environment."""

    def load_text(text: str = "", precoro: str = PRECORO, **variables: str) -> Settings:
        file.write_text(precoro + text, "utf-8")
        return load(file, ACCESS | variables)

    return load_text


@pytest.fixture
def mistakes(file: Path, read: Load) -> Mistakes:
    """The lines of the error, with the path of the file cut down to its name."""

    def refuse(text: str = "", precoro: str = PRECORO, **variables: str) -> list[str]:
        with pytest.raises(ConfigurationError) as refusal:
            read(text, precoro, **variables)
        return str(refusal.value).replace(str(file), file.name).splitlines()

    return refuse


@pytest.fixture
def mistake(mistakes: Mistakes) -> Mistake:
    """The same where there is exactly one."""

    def refuse(text: str = "", **variables: str) -> str:
        (line,) = mistakes(text, **variables)
        return line

    return refuse
