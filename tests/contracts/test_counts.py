"""Files and payments are counted as they are written, whatever writes them; all contract tests show it of records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

from tests.contracts.backends import Backend
from tests.contracts.counting import miscounted

_STATES = ("planned", "sending", "confirmed", "rejected", "doubt", "review")


def file(any_of: Random, number: int) -> str:
    names = "collection, record_id, id, name, kind, gone_at, length, stored_at"
    values = f"{number}, 'a', 'pdf', {when(any_of)}, {any_of.randint(0, 999)}, {when(any_of)}"
    return f"INSERT INTO attached_files ({names}) VALUES ('{any_of.choice(('items', 'units'))}', 1, {values})"


def intent(any_of: Random, number: int) -> str:
    names = "id, direction, ledger, source, amount, currency, day, state, reason, since, attempts, doubted, checks"
    direction = any_of.choice(("to_precoro", "to_ledger"))
    values = (
        f"'{number}', '{direction}', 'books', 'a', '1', 'EUR', '2026-01-01', '{any_of.choice(_STATES)}', '', 1, 0"
    )
    return f"INSERT INTO intents ({names}, marked, reported, seen) VALUES ({values}, FALSE, 0, FALSE, FALSE, FALSE)"


def when(any_of: Random) -> str:
    return any_of.choice(("NULL", "5"))


CHANGES: tuple[Callable[[Random], str], ...] = (
    lambda any_of: f"UPDATE attached_files SET stored_at = {when(any_of)}, gone_at = {when(any_of)}",
    lambda any_of: f"UPDATE attached_files SET length = {any_of.randint(0, 99)}",
    lambda _: "DELETE FROM attached_files",
    lambda any_of: f"UPDATE intents SET state = '{any_of.choice(_STATES)}'",
    lambda _: "DELETE FROM intents",
)


def writes(any_of: Random, most: int) -> Iterator[str]:
    for number in range(most):
        yield any_of.choice((file, intent))(any_of, number)
        changed = any_of.choice(CHANGES)(any_of)
        column = "CAST(id AS bigint)" if "intents" in changed else "id"
        yield f"{changed} WHERE {column} % 5 = {any_of.randrange(5)}"


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", [1, 2])
async def test_counts_are_kept_whatever_is_written(backend: Backend, seed: int) -> None:
    async with backend.open():
        for statement in writes(Random(seed), 60):
            backend.change(statement)
    assert miscounted(backend.query) == []
    assert len(backend.query("SELECT * FROM file_counts")) == 2
    assert len(backend.query("SELECT * FROM intent_counts")) > 5
