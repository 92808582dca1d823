"""What every state store promises as a book of the shapes of answers (`mirror.ports.shapes.ShapeBook`)."""

from __future__ import annotations

import pytest

from precoro_daemon.mirror.rules.shapes import Field, Place, Shape, ShapeChange
from tests.contracts.backends import Backend


@pytest.mark.asyncio
async def test_shapes_and_their_changes_survive_a_restart(backend: Backend) -> None:
    listed, detailed = Place("invoices"), Place("invoices", detail=True)
    shape = Shape(
        1.5, 60, {"sum": Field("nm", 60), "ß_%": Field("t", 3, 2, optional=True, odd=True)}, {"status": [17]}
    )
    change = ShapeChange("invoices", detail=True, field="sum", what="type", said="text", at=2.5, until=3.5)
    async with backend.open() as store:
        assert (await store.shape_book.load(), list(await store.shape_book.changes())) == ({}, [])
        await store.shape_book.save({listed: Shape(1.0), detailed: Shape(2.0)}, [change])
        await store.shape_book.save({listed: shape}, None)
    async with backend.open() as store:
        assert await store.shape_book.load() == {listed: shape, detailed: Shape(2.0)}
        assert list(await store.shape_book.changes()) == [change]
        await store.shape_book.save({}, [])
        assert list(await store.shape_book.changes()) == []
