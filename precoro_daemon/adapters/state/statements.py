"""SQL by name, read from the .sql files of this room and of an engine

Each statement follows a line `-- name: …`; the comment after that says what it answers, and is removed when it is
read. Statements for all engines are beside the repositories and are called by file and name. An engine's `own.sql`
has those that no other engine understands, under such a full name: it adds to the shared statements or replaces one.

A statement with a hole, `{called}`, is requested in one of its variants, `statement[idn]`: the hole is then filled
with the fragment `called[idn]`.

What engines express differently is a macro, `@ints(:ids)`: each engine's `own.sql` has its text under `@ints`, in
which `$1` and `$2` stand for the arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_SHARED = Path(__file__).parent
_NAME = re.compile(r"^-- name: ([@\w.\[\]]+)\n", re.MULTILINE)
_HOLE = re.compile(r"\{(\w+)\}")
_MACRO = re.compile(r" ?(@\w+)\(([^()]*)\)")
_SQL_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


class Statements(dict[str, str]):
    """The statements of one engine, by `file.name`. A file is read when it is first needed: most commands need a
    few.
    """

    def __init__(self, own: Path) -> None:
        super().__init__()
        self._own = read_named(own)
        self._files: set[str] = set()

    def __missing__(self, name: str) -> str:
        file = name.partition(".")[0]
        if file in self._files:
            raise KeyError(name)
        self._files.add(file)
        self.update(self._statements_of(file))
        return self[name]

    def read_all(self) -> Mapping[str, str]:
        """Returns every statement."""
        files = {path.stem for path in _SHARED.glob("*.sql")} | {name.partition(".")[0] for name in self._own}
        for file in sorted(files - self._files):
            self._files.add(file)
            self.update(self._statements_of(file))
        return self

    def _statements_of(self, file: str) -> Mapping[str, str]:
        path = _SHARED / f"{file}.sql"
        shared = read_named(path) if path.exists() else {}
        own = {name: text for name, text in self._own.items() if name.startswith(f"{file}.")}
        named = {f"{file}.{name}": text for name, text in shared.items()} | own
        return dict(_variants({name: _expanded(text, self._own) for name, text in named.items()}))


def _expanded(text: str, macros: Mapping[str, str]) -> str:
    def expand(found: re.Match[str]) -> str:
        if found[1] not in macros:
            return found[0]
        fragment = macros[found[1]]
        for number, given in enumerate(found[2].split(", "), start=1):
            fragment = fragment.replace(f"${number}", given)
        space = " " if fragment and found[0].startswith(" ") else ""
        return f"{space}{fragment}"

    return _MACRO.sub(expand, text)


def _variants(named: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in named.items():
        if "[" in name:
            continue  # a fragment
        hole = _HOLE.search(text)
        if hole is None:
            yield name, text
            continue
        start = f"{name.split('.')[0]}.{hole[1]}["
        for fragment in named:
            if fragment.startswith(start):
                variant = fragment.removeprefix(start).removesuffix("]")
                yield f"{name}[{variant}]", text.replace(hole[0], named[fragment])


def read_named(path: Path) -> dict[str, str]:
    """Returns the statements of one file, without their comments."""
    _, *parts = _NAME.split(path.read_text(encoding="utf-8"))
    return {name: _SQL_COMMENT.sub("", text).strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}
