"""the counts of each collection's records by kind, updated by every write that changes a kind"""

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
    """Updates the counts for what is written inside the context to records with these ids or this idn, in one
    transaction.

    `fresh`: none of them exists yet.
    """
    values = {"collection": collection, "ids": json.dumps(list(ids)), "idn": idn}
    if not fresh:
        session.put("mirror.count", values | {"sign": -1})
    yield
    session.put("mirror.count", values | {"sign": 1})
