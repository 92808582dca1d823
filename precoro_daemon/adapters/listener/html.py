"""HTML that escapes everything put into it"""

from __future__ import annotations

from html import escape
from typing import TypeAlias

_EMPTY = frozenset({"meta", "rect", "line", "br"})


class Html(str):
    """Markup that is sent unescaped. Only `tag` and `join` create it; every other text is escaped."""

    __slots__ = ()


Child: TypeAlias = str | int | float | None


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Html:
    """<name attributes>children</name>. `class_` is class, `aria_label` aria-label; None is left out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value not in (None, False))
    if name in _EMPTY:
        return Html(f"<{name}{written}>" if name in {"meta", "br"} else f"<{name}{written}/>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Child) -> Html:
    return Html("".join(child if isinstance(child, Html) else _shown(child) for child in children))


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{_shown(str(value))}"'


def _shown(value: object) -> str:
    """Makes direction marks visible, because they could rearrange the surrounding text.

    Half surrogate pairs, which JSON may contain, could not be sent.
    """
    text = "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
    text = text.encode("utf-8", "replace").decode()
    return escape(
        "".join("�" if char in _TURNING or (ord(char) < 32 and char not in "\n\t") else char for char in text)
    )


_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)))
