"""Dataclasses whose methods are made late are what they are with methods made at once."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import pytest

from precoro_daemon.cli.late_methods import make_methods_late

T = TypeVar("T")


@pytest.fixture(params=["late", "at once"])
def dataclass(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The decorator, with methods made as the test's name says."""
    before = dataclasses._create_fn  # type: ignore[attr-defined]
    dataclasses._create_fn = inspect.unwrap(before)  # type: ignore[attr-defined]
    if request.param == "late":
        make_methods_late()
    yield dataclasses.dataclass
    dataclasses._create_fn = before  # type: ignore[attr-defined]


def test_values_are_made_compared_hashed_and_shown(dataclass: Any) -> None:
    @dataclass(frozen=True, slots=True, order=True)
    class Pair:
        self: int
        other: list[int] = dataclasses.field(default_factory=list, compare=False)

    one, two = Pair(self=1), Pair(2, [3])
    assert (one == Pair(1), one == two, one < two, hash(one) == hash(Pair(1))) == (True, False, True, True)
    assert repr(two).endswith("Pair(self=2, other=[3])")
    assert dataclasses.replace(one, self=5) == Pair(5)
    assert dataclasses.asdict(two) == {"self": 2, "other": [3]}
    for _ in range(2):
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.self = 3
        with pytest.raises(dataclasses.FrozenInstanceError):
            del one.self
        with pytest.raises(TypeError, match=r"__init__\(\) missing 1 required positional argument: 'self'"):
            Pair()


def test_classes_below_others_have_methods_of_their_own(dataclass: Any) -> None:
    @dataclass
    class Above(Generic[T]):
        first: T

        def __post_init__(self) -> None:
            self.seen = True

    @dataclass
    class Below(Above[int]):
        second: int = 2

        def __init__(self, first: int) -> None:
            super().__init__(first)
            self.second = first

    @dataclass
    class Same(Above[int]):
        pass

    assert (Below(1).second, Below(1).seen, Below(1) == Below(1), Same(1) == Above(1)) == (1, True, True, False)
    assert (Same(1).first, Above[int](3).first, Same(2) == Same(2)) == (1, 3, True)
