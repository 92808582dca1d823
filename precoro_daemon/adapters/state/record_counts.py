"""how many records of each collection are what, kept by the writes that make them something else"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.session import Session


@contextmanager
def counted_anew(
    session: Session, collection: str, ids: Iterable[int], idn: object = None, *, fresh: bool = False
) -> Iterator[None]:
    """Runs inside a transaction, around what is written to records with these ids or with this idn. `fresh`: none of
    them is there yet."""
    values = {"collection": collection, "ids": json.dumps(list(ids)), "idn": idn}
    if not fresh:
        session.put("mirror.count", values | {"sign": -1})
    yield
    session.put("mirror.count", values | {"sign": 1})
