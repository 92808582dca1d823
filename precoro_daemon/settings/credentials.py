"""the API key from its file: read only if nobody else can, and never shown"""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from precoro_daemon.settings.files import NotRegular, open_regular

_LONGEST_SECRET_BYTES = 4096


class CredentialError(Exception):
    """Why a credential file is not read. Its text holds no path that names no file: that may be the key itself."""


def read_credential(path: Path) -> str:
    """The one line of the file, without white space around."""
    try:
        with open_regular(path) as file:
            _refuse_if_shared(path, os.fstat(file.fileno()))
            content = file.read(_LONGEST_SECRET_BYTES + 1)
    except OSError as error:
        raise CredentialError(_reason(error)) from None
    except ValueError:
        raise CredentialError("is no path of a file") from None
    return _one_line(content)


def _refuse_if_shared(path: Path, status: os.stat_result) -> None:
    """Docker and Kubernetes mount secrets for all to read unless configured otherwise; that is refused here too."""
    mode = stat.S_IMODE(status.st_mode)
    remedy = f"run: chmod 600 {shlex.quote(str(path))}"
    if mode & stat.S_IROTH:
        raise CredentialError(f"everyone on this machine can read the file (mode {mode:04o}); {remedy}")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CredentialError(f"others than its owner can write the file (mode {mode:04o}); {remedy}")


def _one_line(content: bytes) -> str:
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        raise CredentialError("the file is not text") from None
    if not text:
        raise CredentialError("the file is empty")
    if len(content) > _LONGEST_SECRET_BYTES or "\n" in text or "\r" in text:
        raise CredentialError("the file has more than one line; allowed: the secret and nothing else")
    return text


def _reason(error: OSError) -> str:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return "there is no such file (a relative path starts at the working directory)"
        case IsADirectoryError():
            return "this is a directory; allowed: the file that holds the secret"
        case NotRegular():
            return "this is no regular file; allowed: the file that holds the secret"
        case PermissionError():
            return "the user who runs this may not read the file"
    return f"the file cannot be read: {(error.strerror or type(error).__name__).lower()}"
