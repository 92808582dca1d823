"""remote control over HTTP, for tests that run another process"""

import dataclasses
from random import Random
from typing import TYPE_CHECKING, Any

import anyio.lowlevel
import orjson
from aiohttp import web

from precoro_daemon.sandbox import schema, users
from precoro_daemon.sandbox.clock import stamp
from precoro_daemon.sandbox.replies import json, ready_json
from precoro_daemon.sandbox.shapes import Json

if TYPE_CHECKING:
    from precoro_daemon.sandbox.server import Sandbox


class Control:
    """The endpoints under /_sandbox. They need no key and count in no limit."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sandbox", self.state),
            web.get("/_sandbox/truth/{collection}", self.truth),
            web.get("/_sandbox/journal", self.journal),
            web.delete("/_sandbox/journal", self.forget),
            web.get("/_sandbox/faults", self.faults),
            web.post("/_sandbox/faults", self.add_fault),
            web.delete("/_sandbox/faults", self.clear_faults),
            web.post("/_sandbox/mutate", self.mutate),
            web.post("/_sandbox/warm", self.warm),
            web.post("/_sandbox/options", self.options),
            web.get("/_sandbox/webhooks", self.webhooks),
            web.post("/_sandbox/webhooks", self.add_webhook),
            web.delete("/_sandbox/webhooks", self.clear_webhooks),
        ]

    async def state(self, _request: web.Request) -> web.Response:
        """Answers with rows, limits, refusals and settings."""
        return json(self._state())

    def glance(self) -> Json:
        """Returns the state and the newest requests, as the page for people shows them."""
        return {"state": self._state(), "journal": {"entries": self._sandbox.journal.last(50)}}

    def _state(self) -> Json:
        sandbox = self._sandbox
        now = sandbox.clock.now()
        return {
            "url": sandbox.url,
            "token": sandbox.token,
            "email": sandbox.email,
            "now": stamp(now),
            "seed": sandbox.options.seed,
            "size": sandbox.options.size,
            "time_scale": sandbox.clock.scale,
            "rows": sandbox.company.counts(),
            "options": dataclasses.asdict(sandbox.tuning),
            "used": {kind: list(pair) for kind, pair in sandbox.limits.used(now).items()},
            "refusals": dict(sandbox.limits.refusals),
            "requests": sandbox.journal.total,
            "statuses": dict(sandbox.journal.statuses),
            "faults": [dataclasses.asdict(rule) for rule in sandbox.faults.rules],
            "changed_by_users": sandbox.changes,
        }

    async def truth(self, request: web.Request) -> web.Response:
        """Answers with what the API would say now. `?details=0` omits details, which take long to draw for large
        collections.
        """
        collection = _collection(request.match_info["collection"])
        wanted = request.query.get("details", "1") != "0"
        return ready_json(self._sandbox.company.truth(collection, details=wanted))

    async def journal(self, request: web.Request) -> web.Response:
        """Answers with the newest requests first: `?last=` of them, 1,000 by default."""
        journal = self._sandbox.journal
        count = request.query.get("last", "1000")
        entries = journal.last(int(count) if count.isdecimal() else 0)
        return json(
            {
                "total": journal.total,
                "statuses": dict(journal.statuses),
                "refusals": dict(self._sandbox.limits.refusals),
                "entries": entries,
            }
        )

    async def forget(self, _request: web.Request) -> web.Response:
        """Empties journal, refusal counters and limit windows."""
        self._sandbox.journal.clear()
        self._sandbox.limits.refusals.clear()
        self._sandbox.limits.forget()
        return json({"cleared": True})

    async def faults(self, _request: web.Request) -> web.Response:
        return json([dataclasses.asdict(rule) for rule in self._sandbox.faults.rules])

    async def add_fault(self, request: web.Request) -> web.Response:
        """Adds one rule or a list of rules, given by the fields of `Fault`."""
        wishes = await _body(request)
        try:
            added = [self._sandbox.faults.add(**wish) for wish in (wishes if isinstance(wishes, list) else [wishes])]
        except (ValueError, TypeError) as error:
            return json({"error": str(error)}, 400)
        return json([dataclasses.asdict(rule) for rule in added], 201)

    async def clear_faults(self, _request: web.Request) -> web.Response:
        self._sandbox.faults.clear()
        return json({"cleared": True})

    async def mutate(self, request: web.Request) -> web.Response:
        """Lets users change records.

        create, edit, delete  number of changes of each kind
        collection            the only collection to change
        seed                  the same seed makes the same choices
        """
        wish = await _body(request)
        if not isinstance(wish, dict):
            return json({"error": "a JSON object is wanted"}, 400)
        only = wish.get("collection")
        collections = users.DOCUMENTS_MOSTLY if only is None else (_collection(str(only)),)
        create, edit, delete = (int(wish.get(name, 0)) for name in ("create", "edit", "delete"))
        load = users.Load(create, edit, delete, collections)
        done = users.work(self._sandbox.company, Random(wish.get("seed", 0)), load)
        self._sandbox.changes += len(done)
        return json(done)

    async def warm(self, request: web.Request) -> web.Response:
        """Draws the JSON of a collection's rows now, so that a measurement includes only the serving."""
        wish = await _body(request)
        collection = _collection(str(wish.get("collection")) if isinstance(wish, dict) else "")
        company, drawn = self._sandbox.company, 0
        for number, row in enumerate(company[collection]):
            drawn += len(company.entries.raw(row))
            if number % 500 == 0:
                await anyio.lowlevel.checkpoint()
        return json({"bytes": drawn})

    async def webhooks(self, _request: web.Request) -> web.Response:
        hooks = self._sandbox.company.webhooks
        known = [dataclasses.asdict(hook) for hook in hooks.hooks]
        return json({"webhooks": known, "sent": hooks.sent, "failed": hooks.failed})

    async def add_webhook(self, request: web.Request) -> web.Response:
        """Adds an address, given by the fields of `Webhook`. Only `url` is required."""
        wish = await _body(request)
        try:
            hook = self._sandbox.company.webhooks.add(**wish)
        except (ValueError, TypeError) as error:
            return json({"error": str(error)}, 400)
        return json(dataclasses.asdict(hook), 201)

    async def clear_webhooks(self, request: web.Request) -> web.Response:
        self._sandbox.company.webhooks.hooks.clear()
        return await self.webhooks(request)

    async def options(self, request: web.Request) -> web.Response:
        """Changes some fields of `Tuning` and answers with all of them."""
        wishes = await _body(request)
        if not isinstance(wishes, dict):
            return json({"error": "a JSON object is wanted"}, 400)
        try:
            self._sandbox.tune(**wishes)
        except ValueError as error:
            return json({"error": str(error)}, 400)
        return json(dataclasses.asdict(self._sandbox.tuning))


def _collection(name: str) -> str:
    if name not in schema.COLLECTIONS:
        raise web.HTTPNotFound
    return name


async def _body(request: web.Request) -> Any:
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        return None
