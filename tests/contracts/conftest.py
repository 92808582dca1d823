"""The state stores that have to keep the contracts. A new one is added to `BACKENDS` and to nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adapters.state.postgresql.probe import PostgresBackend
from tests.adapters.state.sqlite.probe import SqliteBackend
from tests.contracts.backends import Backend
from tests.contracts.counting import miscounted

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(params=BACKENDS)
def backend_in(request: pytest.FixtureRequest) -> Callable[[Path], Backend]:
    """A state of its own at each call."""
    if request.param == "postgresql":
        url = request.getfixturevalue("state_database")
        return lambda _: PostgresBackend(url)
    return SqliteBackend


@pytest.fixture
def backend(backend_in: Callable[[Path], Backend], tmp_path: Path) -> Iterator[Backend]:
    """Whatever a test did to it, counts are right in the end."""
    made = backend_in(tmp_path)
    yield made
    assert miscounted(made.query) == []
