"""`python -m tests.maps`: writes the maps in the docstrings of the rooms, from the first lines of the modules.

The map of a room stands in its `__init__`: a line for each file and folder in it, with the first line of that module.
The map of the package names its modules and rooms.
"""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "precoro_daemon"


def rooms() -> list[Path]:
    """Every folder of the package that holds modules, the package itself first."""
    return sorted(path.parent for path in PACKAGE.rglob("__init__.py"))


def first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n")[0]


def map_of(room: Path) -> str:
    """One line for each module and folder of the room, in the order of their names."""
    entries = {}
    for path in sorted(room.iterdir()):
        if path.suffix == ".py" and path.name != "__init__.py":
            entries[path.name] = first_line(path)
        elif (path / "__init__.py").exists():
            entries[f"{path.name}/"] = first_line(path / "__init__.py")
    width = max(map(len, entries), default=0)
    return "\n".join(f"{name:<{width}}  {meaning}" for name, meaning in entries.items())


def shown(room: Path) -> str:
    """The map as the docstring of the room has it, "" where it has none."""
    doc = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
    return next((part for part in doc.split("\n\n") if ".py  " in part or "/  " in part), "")


def write(room: Path) -> None:
    path = room / "__init__.py"
    text = path.read_text("utf-8")
    doc = ast.get_docstring(ast.parse(text), clean=False) or ""
    parts = [part for part in doc.strip("\n").split("\n\n") if ".py  " not in part and "/  " not in part]
    drawn = map_of(room)
    new = "\n\n".join([parts[0], *([drawn] if drawn else []), *parts[1:]])
    path.write_text(text.replace(doc, new + ("\n" if "\n" in new else ""), 1), "utf-8")


if __name__ == "__main__":
    for each in rooms():
        write(each)
