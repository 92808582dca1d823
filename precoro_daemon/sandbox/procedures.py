"""approvals, receipts, contracts, field options, uploads, propositions"""

from collections.abc import Callable
from typing import Any

import anyio
from aiohttp import web
from aiohttp.typedefs import Handler

from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.company import Company
from precoro_daemon.sandbox.custom_fields import LINE_IDS, options
from precoro_daemon.sandbox.files import Attachment, next_attachment_id
from precoro_daemon.sandbox.filters import moment
from precoro_daemon.sandbox.forms import Form, boolean, form, json_object, required
from precoro_daemon.sandbox.reads import Reads
from precoro_daemon.sandbox.refusals import MissingError, RefusedError
from precoro_daemon.sandbox.replies import json, ready_json
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.shapes import Json

CREATED = 201
ACTIONS = {
    "approve": schema.APPROVED,
    "confirm": schema.APPROVED,
    "confirm_revise": schema.PENDING,
    "reject": schema.DENIED,
    "revision": schema.ON_REVISE,
}
SETTLED = (schema.PARTLY_PAID, schema.PAID, schema.CANCELED, schema.CLOSED)
# The public client's own numbers (precoro-sdk 0.1.0, resources/attachments.py).
UPLOAD_TYPES = {
    "1": "invoices", "2": "purchaseorders", "3": "purchaserequisitions", "4": "receipts", "5": "expenses",
    "8": "suppliers", "9": "warehouserequests", "10": "requestforproposals",
}  # fmt: skip


class Procedures:
    """Endpoints that act on records instead of writing their fields."""

    def __init__(self, company: Company, reads: Reads) -> None:
        self.company = company
        self.reads = reads

    def routes(self) -> list[web.RouteDef]:
        routes = [
            web.post("/receipts/{key}", self.receive),
            web.post("/contract", self.contract),
            web.post("/purchaserequisitions/{key}/complete", self.complete),
            web.post("/attachments/{owner}/{type}", self.upload),
            web.put("/requestforproposals/proposition/{key}/items/approve", self.approve_items),
            web.patch("/suppliers/{key}/customfields", self.supplier_fields),
        ]
        approvable = ((path, action) for path in (*schema.DOCUMENTS, "suppliers") for action in ACTIONS)
        routes += [web.post(f"/{path}/{{key}}/{action}", self._act(path, action)) for path, action in approvable]
        for path in schema.CUSTOM_FIELDS:
            routes += [
                web.patch(f"/{path}/options/depend_add", self._depend(path, wanted=True)),
                web.patch(f"/{path}/options/depend_remove", self._depend(path, wanted=False)),
                web.post(f"/{path}/{{key}}/options", self._add_option(path)),
                web.put(f"/{path}/{{key}}/options/{{option}}", self._change_option(path, _replaced)),
                web.patch(f"/{path}/{{key}}/options/{{option}}", self._change_option(path, _merged)),
            ]
        return routes

    def _act(self, path: str, action: str) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            row = self.company.find(path, request.match_info["key"])
            if row.status in SETTLED:
                raise RefusedError("status", "This action is not available for the document.")
            approved = self.company.now() if ACTIONS[action] == schema.APPROVED else row.approved
            self.company.edit(row, status=ACTIONS[action], approved=approved)
            return self._answer(row)

        return answer

    def _answer(self, row: Row, status: int = 200) -> web.Response:
        body = self.company.details.fields(row)
        return json(body | {"statusString": schema.STATUS_NAMES.get(row.status, "")}, status)

    async def complete(self, request: web.Request) -> web.Response:
        row = self.company.find("purchaserequisitions", request.match_info["key"])
        self.company.edit(row, status=schema.CLOSED)
        return self._answer(row)

    async def receive(self, request: web.Request) -> web.Response:
        """Creates a receipt for a purchase order, which the path names by its idn."""
        order = self.company.find("purchaseorders", request.match_info["key"])
        fields = await json_object(request)
        facts: dict[str, Any] = {"required": moment(required(fields, "requiredDate"), "requiredDate")}
        warehouse = fields.get("warehouse")
        ident = warehouse.get("id") if isinstance(warehouse, dict) else None
        try:
            place = self.company.row("warehouses", int(ident or 0))
        except (MissingError, ValueError):
            raise RefusedError("warehouse", "This value is not valid.") from None
        facts["warehouse"] = {"id": place.id, "name": place.name}
        if "note" in fields:
            facts["note"] = str(fields["note"])
        if fields.get("dataDocumentCustomFields"):
            facts["dataDocumentCustomFields"] = {"data": fields["dataDocumentCustomFields"]}
        row = self.company.create(
            "receipts",
            origin=order,
            supplier=order.supplier,
            currency=order.currency,
            total=order.total,
            **facts,
        )
        return self._answer(row, CREATED)

    async def contract(self, request: web.Request) -> web.Response:
        """Creates a contract. As at the vendor, the path is singular and `id` is the supplier's."""
        fields = await json_object(request)
        number = required(fields, "number")
        supplier = self.company.shelves["suppliers"].by_id.get(int(fields.get("id") or 0))
        if supplier is None:
            raise RefusedError("id", "This value is not valid.")
        facts = {key: fields[key] for key in ("beginDate", "endDate", "prolongation", "note") if key in fields}
        return self._answer(self.company.create("contracts", name=number, supplier=supplier, **facts), CREATED)

    async def upload(self, request: web.Request) -> web.Response:
        collection = UPLOAD_TYPES.get(request.match_info["type"])
        if collection is None or not request.match_info["owner"].isdecimal():
            raise MissingError
        row = self.company.row(collection, int(request.match_info["owner"]))
        file = (await request.post()).get("file")
        if not isinstance(file, web.FileField):
            raise RefusedError("file", "This value should not be blank.")
        ident = next_attachment_id(row)
        if ident is None:
            raise RefusedError("file", "The document has too many files.")
        content = await anyio.to_thread.run_sync(file.file.read)
        added = Attachment(ident, file.filename, content, self.company.now())
        self.company.edit(row, _uploads=[*(row.extra or {}).get("_uploads", []), added])
        return json(added.metadata(self.company.shapes, row), CREATED)

    async def approve_items(self, request: web.Request) -> web.Response:
        row, index = self.reads.proposition_row(request.match_info["key"])
        wanted = [int(each) for each in (await form(request)).get("items", []) if each.isdecimal()]
        known = {line["id"] for line in self.company.details.lines(row)}
        if not wanted or not known.issuperset(wanted):
            raise RefusedError("items", "This value is not valid.")
        self.company.edit(row, _approved=wanted)
        return json(self.company.details.proposition(row, index))

    async def supplier_fields(self, request: web.Request) -> web.Response:
        row = self.company.find("suppliers", request.match_info["key"])
        values = (await json_object(request)).get("dataSupplierCustomFields")
        if not isinstance(values, list):
            raise RefusedError("dataSupplierCustomFields", "This value is not valid.")
        self.company.edit(row, dataSupplierCustomFields=self.company.shapes.nested(values))
        return ready_json(self.company.details.raw(row))

    def _add_option(self, path: str) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            field = self.company.find(path, request.match_info["key"])
            known, fields = options(field), await form(request)
            ident = max((each["id"] for each in known), default=field.id * LINE_IDS - 1) + 1
            option = _replaced({"id": ident}, fields)
            self.company.edit(field, _options=[*known, option])
            return json(option, CREATED)

        return answer

    def _change_option(self, path: str, change: Callable[[Json, Form], Json]) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            field = self.company.find(path, request.match_info["key"])
            known, wanted = options(field), request.match_info["option"]
            old = next((each for each in known if str(each["id"]) == wanted), None)
            if old is None:
                raise MissingError
            new = change(old, await form(request))
            self.company.edit(field, _options=[new if each is old else each for each in known])
            return json(new)

        return answer

    def _depend(self, path: str, *, wanted: bool) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            fields = await form(request)
            ident, other = required(fields, "option_id"), required(fields, "depends_on_id")
            for field in self.company[path]:
                known = options(field)
                if any(str(each["id"]) == ident for each in known):
                    changed = [
                        _depending(each, other, wanted=wanted) if str(each["id"]) == ident else each for each in known
                    ]
                    self.company.edit(field, _options=changed)
                    return json({"success": True})
            raise MissingError

        return answer


def _depending(option: Json, other: str, *, wanted: bool) -> Json:
    others = [each for each in option.get("dependsOn", []) if str(each) != other]
    return option | {"dependsOn": [*others, int(other)] if wanted else others}


def _replaced(old: Json, fields: Form) -> Json:
    return {
        "id": old["id"],
        "name": required(fields, "name"),
        "code": fields.get("code"),
        "enable": "enable" not in fields or boolean(fields, "enable", strict=False),
        "parent": fields.get("parent"),
        "externalId": fields.get("externalId") or None,
    }


def _merged(old: Json, fields: Form) -> Json:
    new = old | {key: value for key, value in fields.items() if key != "id"}
    if "enable" in fields:
        new["enable"] = boolean(fields, "enable", strict=False)
    return new
