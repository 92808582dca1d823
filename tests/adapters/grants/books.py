"""What the accounting systems show after a login, in the shapes of their manuals; a wrong question is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Api = Callable[[Any, bool, Any], tuple[int, Any]]

OURS, OTHERS = "8f7c4a10-0000-4000-8000-000000000001", "8f7c4a10-0000-4000-8000-000000000002"
BILLS = [{"InvoiceID": "b1", "InvoiceNumber": "INV-1", "Contact": {"Name": "Acme"}}, {"InvoiceID": "b2"}]
TENANTS = ((OTHERS, "Other Company", "ORGANISATION"), (OURS, "Our Company", "ORGANISATION"), ("p", "P", "PRACTICE"))


def xero(request: Any, known: bool, _body: Any) -> tuple[int, Any]:
    parts = urlsplit(request.path)
    query = parse_qs(parts.query)
    if not known:
        return 401, {"Detail": "AuthenticationUnsuccessful"}
    if parts.path == "/connections":
        return 200, [{"tenantId": id_, "tenantName": name, "tenantType": kind} for id_, name, kind in TENANTS]
    if request.headers.get("Xero-tenant-id") not in (OURS, OTHERS):
        return 403, {"Detail": "AuthenticationUnsuccessful"}
    if parts.path == "/api.xro/2.0/Accounts" and query["where"] == ['Type=="BANK"']:
        return 200, {
            "Accounts": [
                {"AccountID": "a-eur", "Name": "Bank", "CurrencyCode": "EUR", "Status": "ACTIVE"},
                {"AccountID": "a-usd", "Name": "Dollars", "CurrencyCode": "USD", "Status": "ACTIVE"},
                {"AccountID": "a-usd2", "Name": "Card", "CurrencyCode": "USD", "Status": "ACTIVE"},
                {"AccountID": "a-old", "Name": "Closed", "CurrencyCode": "GBP", "Status": "ARCHIVED"},
            ]
        }
    if parts.path == "/api.xro/2.0/Invoices" and query["where"] == ['Type=="ACCPAY"']:
        return 200, {"Invoices": BILLS}
    return 404, {}


def quickbooks(request: Any, known: bool, _body: Any) -> tuple[int, Any]:
    parts = urlsplit(request.path)
    if not known or not parts.path.startswith("/v3/company/4620816365/"):
        return 401, {"fault": {"type": "AUTHENTICATION"}}
    if "companyinfo" in parts.path:
        return 200, {"CompanyInfo": {"CompanyName": "Our Company"}}
    what = parse_qs(parts.query)["query"][0].split(" from ")[1].split()[0]
    rows = {
        "Preferences": [{"CurrencyPrefs": {"HomeCurrency": {"value": "EUR"}}}],
        "Account": [
            {"Id": "35", "Name": "Checking", "CurrencyRef": {"value": "EUR"}, "Active": True},
            {"Id": "36", "Name": "Savings", "Active": True},
            {"Id": "41", "Name": "Visa", "CurrencyRef": {"value": "USD"}, "Active": True},
        ],
        "Bill": [{"Id": "b1", "DocNumber": "INV-1", "VendorRef": {"name": "Acme"}}],
    }
    return 200, {"QueryResponse": {what: rows[what]}}


def business_central(request: Any, known: bool, _body: Any) -> tuple[int, Any]:
    path = unquote(urlsplit(request.path).path)
    root = "/v2.0/tenant-1/sandbox/api/v2.0/companies"
    if not known:
        return 401, {"error": {"code": "Authentication_InvalidCredentials"}}
    lists = {
        root: [{"id": OURS, "name": "CRONUS", "displayName": "CRONUS International"}],
        f"{root}({OURS})/companyInformation": [{"currencyCode": "EUR"}],
        f"{root}({OURS})/vendorPaymentJournals": [
            {"code": "DEFAULT", "displayName": "Default Journal"},
            {"code": "BANK", "displayName": "Bank Payments"},
        ],
        f"{root}({OURS})/purchaseInvoices": [{"id": "b1", "number": "107201", "vendorInvoiceNumber": "INV-1"}],
    }
    return (200, {"value": lists[path]}) if path in lists else (404, {"error": {"code": "NotFound"}})


def odoo(request: Any, _known: bool, body: Any) -> tuple[int, Any]:
    if request.path == "/web/database/list":
        return 200, {"result": ["prod", "test"]}
    params = body["params"]
    if params["method"] == "authenticate":
        return 200, {"result": 7 if params["args"] == ["prod", "books@ours.example", "the-odoo-key", {}] else False}
    database, uid, key, model, method, [wanted], more = params["args"]
    assert (database, uid, key, method) == ("prod", 7, "the-odoo-key", "search_read")
    rows: dict[str, list[dict[str, Any]]] = {
        "res.company": [{"id": 1, "name": "Our Company", "currency_id": [1, "EUR"]}],
        "account.journal": [
            {"id": 6, "code": "BNK1", "name": "Bank", "currency_id": False},
            {"id": 7, "code": "BNK2", "name": "Dollars", "currency_id": [2, "USD"]},
        ],
        "account.move": [{"id": 9, "name": "BILL/1", "ref": "INV-1", "partner_id": [3, "Acme"]}],
    }
    found = [{name: row[name] for name in ["id", *more["fields"]]} for row in rows[model]]
    assert model == "res.company" or ["company_id", "=", 1] in wanted
    return 200, {"result": found}
