"""the GET endpoints: lists, details, files"""

from aiohttp import web
from aiohttp.typedefs import Handler

from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.company import Company
from precoro_daemon.sandbox.custom_fields import LINE_IDS
from precoro_daemon.sandbox.downloads import whole_or_rest
from precoro_daemon.sandbox.files import FILE_IDS, Attachment, attachments
from precoro_daemon.sandbox.filters import selection
from precoro_daemon.sandbox.options import Tuning
from precoro_daemon.sandbox.pages import Page, page_call, render
from precoro_daemon.sandbox.refusals import MissingError
from precoro_daemon.sandbox.replies import json, ready_json
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.shapes import Json, dumps

DOWNLOADS = "/_files"
"""The path of download URLs. It needs no key and counts in no limit."""


class Reads:
    """Answers GETs from the data of one company."""

    def __init__(self, company: Company, tuning: Tuning) -> None:
        self.company = company
        self.tuning = tuning
        self.files_url = ""
        """The other origin that serves the downloads, or "" for this one."""

    def routes(self) -> list[web.RouteDef]:
        routes = [
            web.get("/requestforproposals/proposition/{key}", self.proposition),
            web.get("/warehouses/{key}/items", self.stock),
            web.get("/attachments/{key}", self.attachment),
            web.get(DOWNLOADS + "/{key}", self.download),
        ]
        for path, offered in schema.COLLECTIONS.items():
            routes.append(web.get(f"/{path}", self._list(path)))
            if offered.detail:
                routes.append(web.get(f"/{path}/{{key}}", self._detail(path)))
        return routes

    def _list(self, path: str) -> Handler:
        shelf, raw, order = self.company[path], self.company.entries.raw, self.tuning
        offered = schema.COLLECTIONS[path]

        async def answer(request: web.Request) -> web.Response:
            query = list(request.query.items())
            call, wanted = page_call(query), selection(query, self.tuning.time_zone)
            _, total = shelf.slice(wanted, order.order, 0, 0)
            if not offered.meta:
                return ready_json(render(shelf.slice(wanted, order.order, 0, total)[0], raw, None))
            number, _ = call.place(total)
            start = (number - 1) * call.size
            rows, _ = shelf.slice(wanted, order.order, start, start + call.size)
            page = Page(call, total, len(rows), f"{request.url.origin()}/{path}", query)
            return ready_json(render(rows, raw, page.pagination(self.tuning.meta)))

        return answer

    def _detail(self, path: str) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            row = self.company.find(path, request.match_info["key"])
            return ready_json(self.company.details.raw(row))

        return answer

    async def proposition(self, request: web.Request) -> web.Response:
        row, index = self.proposition_row(request.match_info["key"])
        return json(self.company.details.proposition(row, index))

    def proposition_row(self, key: str) -> tuple[Row, int]:
        """Returns the request for proposals that a proposition belongs to, and the proposition's index in it.

        Raises MissingError.
        """
        owner, rest = divmod(int(key) if key.isdecimal() else 0, LINE_IDS)
        row = self.company.row("requestforproposals", owner)
        known: Json = self.company.details.proposition(row, 0)
        if row.supplier is None or known["id"] % LINE_IDS != rest:
            raise MissingError
        return row, 0

    async def stock(self, request: web.Request) -> web.Response:
        """Answers with the stock of a warehouse: the catalogue's items, spread over the warehouses."""
        warehouse = self.company.find("warehouses", request.match_info["key"])
        query = list(request.query.items())
        call = page_call(query)
        count = max(1, len(self.company["warehouses"]))
        items = [row for row in self.company["items"] if row.pick(4, count) == warehouse.pick(4, count)]
        number, _ = call.place(len(items))
        rows = items[(number - 1) * call.size : number * call.size]
        page = Page(call, len(items), len(rows), str(request.url.with_query(None)), query)
        meta = page.pagination(self.tuning.meta)
        return ready_json(render(rows, lambda row: dumps(self._stocked(row, warehouse)), meta))

    def _stocked(self, row: Row, warehouse: Row) -> Json:
        return {
            "id": row.id * LINE_IDS + 90,
            "updateDate": self.company.shapes.time(row.updated, row, 12),
            "quantity": f"{row.pick(6, 500)}.0000",
            "minimumStockLevel": None,
            "product": self.company.shapes.reference(row, row, 9),
            "warehouse": {"id": warehouse.id, "name": warehouse.name},
        }

    def attached(self, key: str) -> tuple[Row, Attachment]:
        """Returns a file by its id, with its record. Raises MissingError."""
        ident = int(key) if key.isdecimal() else 0
        for shelf in self.company.shelves.values():
            row = shelf.by_id.get(ident // FILE_IDS)
            if row is not None:
                for each in attachments(row):
                    if each.id == ident:
                        return row, each
        raise MissingError

    async def attachment(self, request: web.Request) -> web.Response:
        """Answers with the bytes for even ids, and with JSON that names their address for odd ones. Both forms are in
        use.
        """
        row, found = self.attached(request.match_info["key"])
        if found.id % 2 == 0:
            return whole_or_rest(request, found)
        body = found.metadata(self.company.shapes, row)
        return json(body | {"file": f"{self.files_url or request.url.origin()}{DOWNLOADS}/{found.id}"})

    async def download(self, request: web.Request) -> web.Response:
        return whole_or_rest(request, self.attached(request.match_info["key"])[1])
