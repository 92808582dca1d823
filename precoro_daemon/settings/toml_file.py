"""reads a TOML file as text and as values"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from precoro_daemon.errors import ConfigurationError
from precoro_daemon.settings.files import NotRegular, open_regular


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """Returns the file's text and values. Raises ConfigurationError, with the place where the file is not valid."""
    text = _decode(path)
    try:
        values = tomllib.loads(text)
        _refuse_long_numbers(values)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(_syntax(path, text, str(error))) from None
    except RecursionError:
        raise ConfigurationError(f"{path}: nested too deeply to be a configuration") from None
    except ValueError:  # tomllib's own too, for a number of thousands of digits
        raise ConfigurationError(f"{path}: a whole number in it has more than the 64 bits that TOML has") from None
    return text, values


def _refuse_long_numbers(value: object) -> None:
    """Raises ValueError for numbers of more than 64 bits. Hexadecimal numbers are read at any length, and then cannot
    be shown.
    """
    match value:
        case int() if value.bit_length() > 64:
            raise ValueError
        case dict():
            _refuse_long_numbers(list(value.values()))
        case list():
            for item in value:
                _refuse_long_numbers(item)


def _decode(path: Path) -> str:
    try:
        with open_regular(path) as file:
            content = file.read()
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise ConfigurationError(f"{path}: this is a directory; give the TOML file in it") from None
    except NotRegular:
        raise ConfigurationError(f"{path}: this is no regular file; give the TOML file") from None
    except PermissionError:
        raise ConfigurationError(f"{path}: the user who runs this may not read the file") from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from None
    try:
        return content.decode("utf-8-sig")  # TOML 1.1 has a byte order mark ignored; Windows editors write one
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}:{line}: not UTF-8 text; save the file as UTF-8") from None


def _syntax(path: Path, text: str, message: str) -> str:
    """Moves the position from the end of tomllib's message to the front: "... (at line 3, column 7)" or "... (at end
    of document)".
    """
    reason, _, where = message.rpartition(" (at ")
    match = re.fullmatch(r"line (\d+), column (\d+)\)", where)
    where = f"{match[1]}:{match[2]}" if match else f"{text.count(chr(10)) + 1}"
    return f"{path}:{where}: not valid TOML: {reason[:1].lower()}{reason[1:]}"
