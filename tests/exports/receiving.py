"""A receiver of pushes as users would write it: it verifies, drops what it knows by its id, and keeps the last."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_b3RoZXItc2VjcmV0LW9mLXRoZS10ZXN0cw=="

_OTHER_KIND = {"invoices": "credit_notes", "credit_notes": "invoices"}
"""A document is one of both."""

Refuse = Callable[[str, dict[str, Any]], "web.Response | None"]


def takes_all(ident: str, message: dict[str, Any]) -> web.Response | None:
    return None


_OWNERS = ("id", "document_id", "item_id", "supplier_id")


def record_of(data: dict[str, Any]) -> Any:
    """Its id; of what belongs to a record of one of several collections, also that collection."""
    id_ = next(data[name] for name in _OWNERS if name in data)
    return (data["collection"], id_) if "collection" in data else id_


@dataclass
class Shop:
    """came: ids in the order in which they were taken, repeats too · records: the last data by table and id"""

    refuse: Refuse = takes_all
    secrets: tuple[str, ...] = (SECRET,)
    came: list[str] = field(default_factory=list)
    bodies: dict[str, set[bytes]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    records: dict[tuple[str, Any], dict[str, Any]] = field(default_factory=dict)

    @property
    def live(self) -> dict[tuple[str, Any], dict[str, Any]]:
        return {key: message["data"] for key, message in self.records.items() if message["type"].endswith("changed")}

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        for secret in self.secrets:
            Webhook(secret).verify(body, dict(request.headers))
        ident, message = request.headers["webhook-id"], json.loads(body)
        self.asked[ident] += 1
        if (refusal := self.refuse(ident, message)) is not None:
            return refusal
        self.bodies.setdefault(ident, set()).add(body)
        if ident not in self.came:
            table, record = message["type"].partition(".")[0], record_of(message["data"])
            self.records[table, record] = message
            if message["type"].endswith("changed"):
                self.records.pop((_OTHER_KIND.get(table, ""), record), None)
        self.came.append(ident)
        return web.Response(status=204)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Its address."""
        app = web.Application()
        app.router.add_post("/hook", self.take)
        async with TestServer(app) as server:
            yield str(server.make_url("/hook"))
