"""methods of dataclasses, made when they are called first: a start defines many and calls a few

The standard library compiles five or six for each class as it is defined, which took a quarter of a start.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

_MAKER = "_create_fn"
"""Makes one method from its text, in Python 3.11 and 3.12. Where it is missing, methods are made at once."""


def make_methods_late() -> None:
    """Of every dataclass that this process defines from here on."""
    make: Callable[..., Callable[..., Any]] | None = getattr(dataclasses, _MAKER, None)
    if make is not None and not hasattr(make, "__wrapped__"):
        setattr(dataclasses, _MAKER, _late(make))


def _late(make: Callable[..., Callable[..., Any]]) -> Callable[..., Any]:
    def make_later(name: str, *given: Any, **more: Any) -> Callable[..., Any]:
        def stand_in(self: Any, /, *arguments: Any, **named: Any) -> Any:
            method = make(name, *given, **more)
            for owner in type(self).__mro__:
                if owner.__dict__.get(name) is stand_in:
                    setattr(owner, name, method)
            return method(self, *arguments, **named)

        stand_in.__name__ = name
        return stand_in

    make_later.__wrapped__ = make  # type: ignore[attr-defined]
    return make_later
