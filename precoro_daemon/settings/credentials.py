"""a secret from its file: refused if everyone can read the file, and never shown"""

from __future__ import annotations

import codecs
import os
import shlex
import stat
import unicodedata
from pathlib import Path

from precoro_daemon.settings.files import NotRegular, open_regular

_LONGEST_SECRET_BYTES = 4096

_INVISIBLE = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060"
"""Byte order marks, joiners, marks of direction."""

_LAST_LATIN = 0x24F


class CredentialError(Exception):
    """The reason why a credential file is not read. The text never contains a path without a file, because that may
    be the key itself.
    """


def read_credential(path: Path) -> str:
    """Returns the file's only line, without white space around it. Raises CredentialError."""
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
    """Refuses a file that everyone can read or that others can write.

    Docker and Kubernetes mount secrets readable by all unless configured otherwise; that is refused too.
    """
    mode = stat.S_IMODE(status.st_mode)
    remedy = f"run: chmod 600 {shlex.quote(str(path))}"
    if mode & stat.S_IROTH:
        raise CredentialError(f"everyone on this machine can read the file (mode {mode:04o}); {remedy}")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CredentialError(f"others than its owner can write the file (mode {mode:04o}); {remedy}")


def bare(text: str) -> str:
    """Returns the text without the white space around it, and without invisible characters that editors and web pages
    add.
    """
    return text.strip().strip(_INVISIBLE).strip()


def _one_line(content: bytes) -> str:
    text = bare(_decoded(content))
    if not text:
        raise CredentialError("the file is empty")
    if len(content) > _LONGEST_SECRET_BYTES or "\n" in text or "\r" in text:
        raise CredentialError("the file has more than one line; allowed: the secret and nothing else")
    if odd := next((sign for sign in text if _is_unseen(sign)), None):
        name = unicodedata.name(odd, "a sign without a name").lower()
        raise CredentialError(
            f"the secret has a sign in it that nobody sees: {name} (U+{ord(odd):04X}); type it anew, or copy it again"
        )
    return text


def _decoded(content: bytes) -> str:
    """Decodes the file, also UTF-16 with a byte order mark, which Windows often writes.

    Binary content with such a mark would decode to letters of other scripts, so these are refused.
    """
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise CredentialError("the file is not text") from None
    if wide and any(ord(sign) > _LAST_LATIN for sign in bare(text)):
        raise CredentialError("the file is not text")
    if "\0" in text:
        raise CredentialError("the file is not text in UTF-8, but perhaps in UTF-16; save it as UTF-8")
    return text


def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) == "Cf" or (sign != " " and unicodedata.category(sign) == "Zs")


def _reason(error: OSError) -> str:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return "there is no such file (a relative path starts at the directory of the configuration)"
        case IsADirectoryError():
            return "this is a directory; allowed: the file that holds the secret"
        case NotRegular():
            return "this is no regular file; allowed: the file that holds the secret"
        case PermissionError():
            return "the user who runs this may not read the file"
    return f"the file cannot be read: {(error.strerror or type(error).__name__).lower()}"
