"""One word for one thing, and the field's own: words that this project once used for what the field has terms for."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "precoro_daemon"

NOWHERE: Mapping[str, str] = {
    "abilities": "capabilities",
    "carrier|carriers": "with attachments",
    "desk|desks": "gateway, handler, job state",
    "errand|errands": "download task",
    "gravest": "most severe",
    "heed|heeds|heeded|heeding": "handle",
    "hindered|hinders": "blocked",
    "lasting": "guard",
    "misread": "unreadable",
    "obey|obeys|obeyed|obeying": "execute",
    "stranger|strangers": "orphans",
    "till": "reconciler, until",
    "twin|twins": "duplicate",
    "unmet": "unmatched",
    "whoever": "who does what",
    "witness|witnesses": "restore guard, epoch",
    "aside": "quarantined",
    "told": "logged, notified, shown",
    "claim|claims|claimed": "ledger payment, reserved",
    "keeper|keepers": "recorder",
    "walk|walks|walked|walking": "scan",
}
"""Not in a name and not in a sentence; with what stands instead."""

NOT_IN_NAMES: Mapping[str, str] = {
    "pass|passes": "scan",
    "permission|permissions": "permit",
    "keeping|settling|deciding": "reconciler, recorder, reconciliation, decisions, intake",
    "look|looks|looked|asking": "check, snapshot, health client",
    "places|draft|drafts": "paths, partial file, prepared write",
    "meeting|meetings": "match candidate",
    "bond|bonds": "link",
    "around|sides": "dependencies",
    "rests|resting": "idle",
    "shifts": "lifecycle",
    "wire": "payloads",
    "books": "ledger",
}
"""Plain English in a sentence, but no name of a thing."""

_NOT_OURS = {"pass", "pass_context", "pass_obj", "walk", "PermissionError"}
"""Names that Python and click give."""

EXCEPTIONS: tuple[tuple[str, str, str], ...] = ()
"""Word, files, reason."""

_SOURCES = ("*.py", "*.sql", "*.html", "*.css", "*.yml")


def _pattern(words: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(words)})\b", re.IGNORECASE)


ANYWHERE, IN_NAMES = _pattern(NOWHERE), _pattern({**NOWHERE, **NOT_IN_NAMES})


def files() -> list[Path]:
    code = {path for kind in _SOURCES for path in PACKAGE.rglob(kind) if "schema" not in path.parts}
    prose = [*PACKAGE.glob("docs/*.md"), ROOT / "README.md", PACKAGE / "docs" / "config.example.toml"]
    return sorted(code | set(prose))


def apart(name: str) -> str:
    """The words of a name: set_aside, SetAside → "set aside"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ")


@cache
def in_name(name: str) -> Sequence[str]:
    """Most names stand in many places."""
    return IN_NAMES.findall(apart(name))


def found(path: Path) -> Iterator[tuple[int, str]]:
    """Line and word of each word in the file that has no business there."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and token.string not in _NOT_OURS:
                for word in in_name(token.string):
                    yield token.start[0], word
            elif token.type in (tokenize.STRING, tokenize.COMMENT):
                for match in ANYWHERE.finditer(token.string.replace("_", " ")):
                    yield token.start[0] + token.string.count("\n", 0, match.start()), match[0]
        return
    for match in ANYWHERE.finditer(text.replace("_", " ")):
        yield text.count("\n", 0, match.start()) + 1, match[0]


def excused(path: Path, word: str) -> bool:
    where = str(path.relative_to(ROOT))
    return any(re.fullmatch(w, word.lower()) and re.fullmatch(f, where) for w, f, _ in EXCEPTIONS)


def test_the_words_of_the_field() -> None:
    faults = [(path, line, word) for path in files() for line, word in found(path) if not excused(path, word)]
    assert [f"{path.relative_to(ROOT)}:{line}: {word}" for path, line, word in faults] == []
