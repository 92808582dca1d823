"""the path of a file, and a user's name for it in a form that any file system accepts"""

from __future__ import annotations

import unicodedata

LONGEST_NAME = 100
"""The most bytes of the part of a file's name that its owner chose."""

_LONGEST_ENDING = 16


def path_of(collection: str, key: int | str | None, record_id: int, attachment: tuple[int, str]) -> str:
    """Returns the path below the root: <collection>/<idn>/<attachment id>__<safe name>.

    The attachment's id alone makes it unique; the rest is for people. The folder of a document without idn is
    `id-` and its id.
    """
    number, name = attachment
    folder = f"id-{record_id}" if key is None else str(key) if isinstance(key, int) else safe_name(key)
    return f"{collection}/{folder}/{number}__{safe_name(name)}"


def safe_name(name: str) -> str:
    """Returns a user's name for a file in a form that any file system accepts: letters, digits and a few other
    characters, at most LONGEST_NAME bytes.

    A name that is cut keeps its ending. Nothing in it can lead to another directory, hide the file, or reverse the
    text.
    """
    name = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    name = "".join(letter if _harmless(letter) else "_" for letter in name)
    name = unicodedata.normalize("NFC", name).strip(" .")
    tail = ending(name)
    if len(tail.encode()) > _LONGEST_ENDING:
        tail = ""
    stem = name.removesuffix(tail)
    stem = stem.encode()[: LONGEST_NAME - len(tail.encode())].decode("utf-8", "ignore").rstrip(" .")
    return f"{stem}{tail}" if stem.strip("_") else f"file{tail}"


def _harmless(letter: str) -> bool:
    return letter in " .-_()+,&@#" or unicodedata.category(letter)[0] in "LN" or unicodedata.category(letter) == "Mn"


def ending(name: str) -> str:
    """Returns the ending with its dot (".pdf" for "a.b.pdf"), "" if there is none."""
    stem, dot, ending = name.rpartition(".")
    return f".{ending}" if dot and stem and ending.isalnum() else ""
