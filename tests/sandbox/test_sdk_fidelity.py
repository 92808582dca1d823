"""The public client of the live API (precoro-sdk 0.1.0) works against the sandbox, call by call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import anyio
import pytest
from precoro import PrecoroClient
from precoro.exceptions import PrecoroAuthenticationError, PrecoroClientError
from precoro.resources import approval, attachments

from precoro_daemon.sandbox import Sandbox
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.shapes import exact
from tests.sandbox.driving import company, inner

EPOCH = "2020-01-01T00:00:00"
FAR = "2030-01-01T00:00:00"

LISTS = {
    "invoices": "invoices",
    "purchase_orders": "purchaseorders",
    "purchase_requisitions": "purchaserequisitions",
    "request_for_proposals": "requestforproposals",
    "receipts": "receipts",
    "expenses": "expenses",
    "payments": "payments",
    "budgets": "budgets",
    "warehouse_requests": "warehouserequests",
    "suppliers": "suppliers",
    "items": "items",
    "supplier_custom_fields": "suppliercustomfields",
    "item_custom_fields": "itemcustomfields",
    "document_custom_fields": "documentcustomfields",
    "units": "units",
    "contracts": "contracts",
    "payment_terms": "paymentterms",
    "locations": "locations",
    "users": "users",
    "warehouses": "warehouses",
    "taxes": "taxes",
}
DOCUMENTS = {name: path for name, path in LISTS.items() if path in {*approval.DOCUMENT_ALIASES}}
BY_ID = (
    "suppliers",
    "items",
    "contracts",
    "warehouses",
    "supplier_custom_fields",
    "item_custom_fields",
    "document_custom_fields",
)
OUTSIDE = {"ocr": "recognition of uploaded scans is no collection of ours"}


class Covered:
    """Remembers which of the client's methods were called, so that none is forgotten."""

    def __init__(self, client: PrecoroClient) -> None:
        self.client = client
        self.called: set[str] = set()

    def __call__(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        resource, method = name.split(".")
        self.called.add(name)
        answer = getattr(getattr(self.client, resource), method)(*args, **kwargs)
        return list(answer) if inspect.isgenerator(answer) else answer


@contextmanager
def client(sandbox: Sandbox) -> Iterator[Covered]:
    with PrecoroClient(sandbox.token, sandbox.email, base_url=sandbox.url, max_retries=0) as opened:
        yield Covered(opened)


def resources(of: PrecoroClient) -> dict[str, Any]:
    kind = type(of)
    return {name: getattr(of, name) for name, value in vars(kind).items() if isinstance(value, property)}


def offered(of: PrecoroClient) -> set[str]:
    """Every public method of every resource, as resource.method."""
    return {
        f"{name}.{method}"
        for name, resource in resources(of).items()
        for method, function in inspect.getmembers(type(resource), inspect.isfunction)
        if not method.startswith("_")
    }


def first(sandbox: Sandbox, collection: str, test: Callable[[Row], bool] = lambda row: True) -> Row:
    return next(row for row in sandbox.company[collection] if test(row))


def read_lists(sdk: Covered, sandbox: Sandbox) -> None:
    for name, path in LISTS.items():
        total = len(sandbox.company[path])
        page = sdk(f"{name}.list", per_page=10)
        assert page["meta"]["pagination"]["total"] == total, name
        assert len(page["data"]) == min(10, total)
        every = sdk(f"{name}.iter_all", per_page=10)
        assert len({row["id"] for row in every}) == total
        assert sdk(f"{name}.list_all", per_page=200) == every
    for kind in ("list", "iter_all", "list_all"):
        rows = sdk(f"legal_entities.{kind}")
        assert len(rows["data"] if kind == "list" else rows) == len(sandbox.company["legalentities"])
    assert "meta" not in sdk("legal_entities.list")


def read_filtered(sdk: Covered, sandbox: Sandbox) -> None:
    for name, path in DOCUMENTS.items():
        wanted = [row.id for row in sandbox.company[path] if row.status == 2 and row.approved]
        found = sdk(
            f"{name}.list_all", status=[2], modified_since=EPOCH, approval_left_date=EPOCH, approval_right_date=FAR
        )
        assert sorted(row["id"] for row in found) == sorted(wanted)
        assert sdk(f"{name}.list_all", modified_since=FAR) == []
    notes = [row.id for row in sandbox.company["invoices"] if row.logic == 1]
    assert sorted(row["id"] for row in sdk("invoices.list_all", logic_type=[1])) == sorted(notes)
    assert sdk("items.list_all", modified_since=FAR) == []
    assert sdk("payments.list_all", modified_since=FAR) == []
    approved = [row.id for row in sandbox.company["suppliers"] if row.status == 2]
    assert sorted(row["id"] for row in sdk("suppliers.list_all", status=[2])) == sorted(approved)
    sdk("request_for_proposals.list", required_date_from=EPOCH, required_date_to=FAR, proposition_status=[2])


def read_details(sdk: Covered, sandbox: Sandbox) -> None:
    for name, path in DOCUMENTS.items():
        row = first(sandbox, path, lambda row: row.split_of is None)
        detail = sdk(f"{name}.get", str(row.idn))
        assert detail["id"] == row.id
        assert inner(detail["items"])
        with pytest.raises(PrecoroClientError):
            sdk(f"{name}.get", str(row.id))
    for name in BY_ID:
        row = first(sandbox, LISTS[name])
        assert sdk(f"{name}.get", row.id)["id"] == row.id


def read_links(sdk: Covered, sandbox: Sandbox) -> None:
    order = first(sandbox, "purchaseorders", lambda row: bool(row.made("receipts")))
    receipts = sdk("purchase_orders.get_receipts", str(order.idn))
    assert {each["id"] for each in receipts} == {row.id for row in order.made("receipts")}
    assert sdk("receipts.get_purchase_order", str(order.made("receipts")[0].idn))["id"] == order.id
    proposal = first(sandbox, "requestforproposals")
    known = inner(sdk("request_for_proposals.get", str(proposal.idn))["propositions"])[0]
    proposition = sdk("request_for_proposals.get_proposition", known["id"])
    line = inner(proposition["items"])[0]["id"]
    after = sdk("request_for_proposals.approve_proposition_items", known["id"], [line])
    assert [each["approved"] for each in inner(after["items"])].count(True) == 1


def read_inventory(sdk: Covered, sandbox: Sandbox) -> None:
    for one, many, path in (
        ("stock_transfer", "stock_transfers", "stocktransfers"),
        ("stock_taking", "stock_takings", "stock_takings"),
    ):
        listed = sdk(f"inventory.list_{many}")["data"]
        assert len(listed) == len(sandbox.company[path])
        assert sdk(f"inventory.iter_{many}") == sdk(f"inventory.list_all_{many}") == listed
        assert sdk(f"inventory.get_{one}", listed[0]["id"])["id"] == listed[0]["id"]
    stocked = 0
    for warehouse in sandbox.company["warehouses"]:
        rows = sdk("inventory.list_warehouse_items", warehouse.id, per_page=200)["data"]
        assert sdk("inventory.iter_warehouse_items", warehouse.id, per_page=10) == rows
        assert sdk("inventory.list_all_warehouse_items", warehouse.id) == rows
        stocked += len(rows)
    assert stocked > 0


def pay(sdk: Covered, sandbox: Sandbox) -> None:
    invoice = first(sandbox, "invoices", lambda row: row.status == 2 and row.logic in (0, 2) and row.paid == 0)
    part = float(exact(invoice.total // 2))
    payment = sdk("payments.add_invoice_payment", invoice.id, part, "2026-03-01", 0, "LEDGER-1")
    assert payment["externalId"] == "LEDGER-1"
    assert invoice.status == 4
    with pytest.raises(PrecoroClientError) as refused:
        sdk("payments.add_invoice_payment", invoice.id, invoice.total / 100 + 5, "2026-03-01")
    remainder = exact(invoice.total - invoice.paid)
    assert refused.value.response_body["errors"]["errors"]["sumPaid"] == [
        f"The amount must be greater than 0 and not exceed {remainder}"
    ]
    sdk("payments.add_invoice_payment", invoice.id, float(remainder), "2026-03-01")
    assert invoice.status == 5
    detail = sdk("invoices.get", str(invoice.idn))
    assert Decimal(str(detail["sumPaid"])) * 100 == invoice.total
    assert len(inner(detail["payments"])) == 2
    assert sdk("payments.set_external_id", str(payment["idn"]), "LEDGER-2")["externalId"] == "LEDGER-2"
    assert sdk("payments.cancel", str(payment["idn"]))["status"] == 8
    assert (invoice.status, invoice.paid) == (4, invoice.total - invoice.total // 2)
    expense = first(sandbox, "expenses", lambda row: row.status == 2)
    made = sdk("payments.add_expense_payment", expense.id, float(exact(expense.total)), "2026-03-01")
    assert (made["id"], expense.status) == (
        first(sandbox, "expensePayments", lambda row: row.origin is expense).id,
        5,
    )


def name_externally(sdk: Covered, sandbox: Sandbox) -> None:
    for name in ("invoices", "purchase_orders"):
        row = first(sandbox, LISTS[name])
        answer = sdk(f"{name}.set_external_id", str(row.idn), "X-1", integration_log="mapped")
        assert (answer["externalId"], answer["externalIntegrationLog"]) == ("X-1", "mapped")
    for name in ("suppliers", "items", "taxes", "payment_terms", "locations", "legal_entities"):
        row = first(sandbox, LISTS.get(name, "legalentities"))
        assert sdk(f"{name}.set_external_id", row.id, "X-2")["externalId"] == "X-2"


def write_catalogue(sdk: Covered, sandbox: Sandbox) -> None:
    supplier = sdk("suppliers.create", name="Neu & Söhne", currencies=["EUR", "USD"], uniqueCode="N-1")
    assert supplier["currencies"] == ["EUR", "USD"]
    wiped = sdk("suppliers.update", supplier["id"], name="Neu GmbH", uniqueCode="N-1")
    assert (wiped["name"], wiped["currencies"]) == ("Neu GmbH", [])
    fields = {"sku": "A-1", "name": "Nut", "price": "0.10", "currency": "EUR", "supplier[id]": supplier["id"]}
    item = sdk("items.add", **fields, freeOfCharge="false")
    again = sdk("items.add", **fields)
    assert again["id"] != item["id"]
    changed = sdk("items.update", item["id"], **fields | {"price": "0.20"})
    assert Decimal(str(changed["price"])) == Decimal("0.20")
    sdk("suppliers.set_custom_fields", supplier["id"], [{"id": 1, "value": "x"}])
    assert sdk("suppliers.approve", supplier["id"])["status"] == 2
    assert sdk("suppliers.reject", supplier["id"], comment="no")["status"] == 3
    assert sdk("approval.approve_supplier", supplier["id"])["status"] == 2
    assert sdk("approval.reject_supplier", supplier["id"], comment="no")["status"] == 3
    assert len(sandbox.company["items"]) == len(sdk("items.list_all", per_page=200))


def write_small_sets(sdk: Covered, sandbox: Sandbox) -> None:
    tax = sdk("taxes.add", "VAT 21%", 21.0, external_id="T")
    assert sdk("taxes.update", tax["id"], name="VAT 22%", percent=22)["name"] == "VAT 22%"
    term = sdk("payment_terms.add", "Net 45", 0, credit_period_days=45)
    assert sdk("payment_terms.update", term["id"], name="Net 46")["name"] == "Net 46"
    place = sdk("locations.create", "Graz", unique_code="G", phone="1")
    assert sdk("locations.update", place["id"], name="Graz Süd")["name"] == "Graz Süd"
    supplier = first(sandbox, "suppliers")
    contract = sdk("contracts.create", "C-9", supplier.id, begin_date=EPOCH, note="n")
    assert sdk("contracts.get", contract["id"])["number"] == "C-9"
    for name in ("supplier_custom_fields", "item_custom_fields", "document_custom_fields"):
        field = first(sandbox, LISTS[name])
        option = sdk(f"{name}.add_option", field.id, "New", code="n", parent_id=None)
        other = sdk(f"{name}.add_option", field.id, "Other")
        assert sdk(f"{name}.update_option", field.id, option["id"], name="Newer")["name"] == "Newer"
        assert sdk(f"{name}.patch_option", field.id, option["id"], externalId="E")["externalId"] == "E"
        sdk(f"{name}.add_option_dependency", option["id"], other["id"])
        sdk(f"{name}.remove_option_dependency", option["id"], other["id"])
        assert option["id"] in {each["id"] for each in inner(sdk(f"{name}.get", field.id)["options"])}


def decide(sdk: Covered, sandbox: Sandbox) -> None:
    for alias in approval.DOCUMENT_ALIASES:
        row = sandbox.company.create(alias, status=1, total=1_000)
        path = str(row.idn)
        assert sdk("approval.revision", alias, path, comment="why?")["status"] == 7
        assert sdk("approval.confirm_revise", alias, path)["status"] == 1
        assert sdk("approval.confirm", alias, path)["status"] == 2
        assert sdk("approval.reject", alias, path, comment="no")["status"] == 3
        assert sdk("approval.approve", alias, path)["statusString"] == "approved"
    requisition = sandbox.company.create("purchaserequisitions", status=2, total=1)
    assert sdk("purchase_requisitions.complete", str(requisition.idn))["status"] == 11
    order, warehouse = first(sandbox, "purchaseorders"), first(sandbox, "warehouses")
    receipt = sdk(
        "receipts.create",
        str(order.idn),
        "2026-05-01",
        warehouse.id,
        note="n",
        data_document_custom_fields=[{"id": 1}],
    )
    assert str(receipt["idn"]) in {str(row.idn) for row in order.made("receipts")}


def attach(sdk: Covered, sandbox: Sandbox) -> None:
    invoice = first(sandbox, "invoices", lambda row: row.files == 0)
    types = attachments.ATTACHMENT_TYPE_INVOICE
    for number in range(2):
        added = sdk("attachments.add", invoice.id, types, b"%PDF-1", f"naïve {number}.pdf", comment="c")
        assert int(added["size"]) == 6
        if int(added["id"]) % 2:
            assert sdk("attachments.get", int(added["id"]))["file"].startswith(sandbox.url)
    assert len(inner(sdk("invoices.get", str(invoice.idn))["attachments"])) == 2


STEPS = (
    read_lists,
    read_filtered,
    read_details,
    read_links,
    read_inventory,
    name_externally,
    write_catalogue,
    write_small_sets,
    decide,
    attach,
    pay,
)


@pytest.mark.asyncio
async def test_the_public_client_can_do_all_it_offers() -> None:
    async with company() as (sandbox, _):
        with client(sandbox) as sdk:
            for step in STEPS:
                await anyio.to_thread.run_sync(step, sdk, sandbox)
            ours = {name for name in offered(sdk.client) if name.split(".")[0] not in OUTSIDE}
            assert sdk.called == ours


@pytest.mark.asyncio
async def test_the_public_client_sees_a_wrong_key() -> None:
    async with company() as (sandbox, _):
        for token, email in (("wrong", sandbox.email), (sandbox.token, "else@sandbox.example")):
            stranger = PrecoroClient(token, email, base_url=sandbox.url, max_retries=0)
            with stranger, pytest.raises(PrecoroAuthenticationError) as refused:
                await anyio.to_thread.run_sync(stranger.invoices.list)
            assert refused.value.status_code == 401
