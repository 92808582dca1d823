"""Odoo's databases, companies, journals and open bills, by user and API key"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from precoro_daemon.adapters.grants.directories.api import Api
from precoro_daemon.errors import DaemonError, LedgerMisfit, LoginFailed
from precoro_daemon.payments.ports.login_directory import Account, OpenBill, Organisation
from precoro_daemon.telemetry import excerpt

_OPEN_BILLS = [
    ["move_type", "=", "in_invoice"],
    ["state", "=", "posted"],
    ["payment_state", "in", ["not_paid", "partial"]],
]


async def databases(api: Api) -> Sequence[str]:
    """Returns the databases that the server lists; many servers list none, and the user must name it."""
    try:
        found = await api.ask("/web/database/list", body=_call({}))
        return [str(name) for name in found.get("result") or ()]
    except (DaemonError, AttributeError):
        return []


class OdooDirectory:
    """Implements `LoginDirectory`. https://www.odoo.com/documentation/18.0/developer/reference/external_api.html"""

    def __init__(self, api: Api, database: str, user: str, key: str) -> None:
        self._api = api
        self._login = (database, user, key)
        self._secret = key
        self._uid = 0

    async def log_in(self) -> None:
        """Logs in. Raises LoginFailed."""
        found = await self._rpc("common", "authenticate", [*self._login, {}])
        if not isinstance(found, int) or isinstance(found, bool):
            database, user, _ = self._login
            raise LoginFailed(f"Odoo does not know the user {user} with that key in the database {database}")
        self._uid = found

    async def organisations(self) -> Sequence[Organisation]:
        rows = await self._search("res.company", [], ["name", "currency_id"])
        return [Organisation(str(row["id"]), row["name"], _name(row["currency_id"])) for row in rows]

    async def accounts(self, organisation: Organisation) -> Sequence[Account]:
        """Returns the journals. One without a currency has the company's."""
        wanted = [["type", "in", ["bank", "cash"]], ["company_id", "=", int(organisation.id)]]
        rows = await self._search("account.journal", wanted, ["name", "code", "currency_id"])
        return [Account(row["code"], row["name"], _name(row["currency_id"]) or organisation.currency) for row in rows]

    async def open_bills(self, organisation: Organisation) -> Sequence[OpenBill]:
        wanted = [*_OPEN_BILLS, ["company_id", "=", int(organisation.id)]]
        rows = await self._search("account.move", wanted, ["name", "ref", "partner_id"])
        return [
            OpenBill(str(row["id"]), [row[key] for key in ("name", "ref") if row.get(key)], _name(row["partner_id"]))
            for row in rows
        ]

    async def _search(self, model: str, wanted: list[Any], names: list[str]) -> Sequence[Any]:
        database, _, key = self._login
        more = {"fields": names, "limit": 1000}
        found = await self._rpc(
            "object", "execute_kw", [database, self._uid, key, model, "search_read", [wanted], more]
        )
        rows: Sequence[Any] = found
        return rows

    async def _rpc(self, service: str, method: str, args: list[Any]) -> Any:
        found = await self._api.ask("/jsonrpc", body=_call({"service": service, "method": method, "args": args}))
        if error := found.get("error"):
            data = error.get("data") or {}
            said = excerpt(str(data.get("message") or error.get("message")), (self._secret,))
            denied = str(data.get("name", "")).endswith(("AccessDenied", "AccessError"))
            raise (LoginFailed if denied else LedgerMisfit)(f"Odoo: {said}")
        return found.get("result")


def _call(params: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}).encode()


def _name(pair: Any) -> str:
    """Returns the name from a reference: [id, name], or false."""
    return str(pair[1]) if pair else ""
