"""time as the program lives it"""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Time as the program lives it: Unix seconds that never run backwards while the process lives.

    For rehearsals it may run faster than real time; `sleep` is then shorter by the same factor.
    """

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...
