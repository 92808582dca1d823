"""one call of a method, over JSON-RPC or JSON-2"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from precoro_daemon.adapters.http.origin import Outgoing
from precoro_daemon.adapters.ledgers.client import LedgerClient
from precoro_daemon.adapters.ledgers.odoo.dialects import Dialect, Method, dialect_of, meaning, refusal_of
from precoro_daemon.adapters.ledgers.odoo.options import OdooOptions
from precoro_daemon.errors import DoubtfulError, LoginNeeded, MalformedAnswer, PermanentError
from precoro_daemon.telemetry import excerpt
from precoro_daemon.writes.permit import Permit

Row = Mapping[str, Any]

_EXACT_JSON = msgspec.json.Encoder(decimal_format="number")
_JSON = {"Content-Type": "application/json"}


@dataclass(slots=True)
class OdooCalls:
    """Calls methods as the key's user.

    Asks once for Odoo's version, and again after a refused call, because Odoo may have been upgraded since.
    """

    client: LedgerClient
    options: OdooOptions
    _dialect: Dialect | None = field(default=None, init=False)
    _user: int | None = field(default=None, init=False)

    async def dialect(self) -> Dialect:
        if self._dialect is None:
            if self.options.protocol == "json-2":
                self._dialect = dialect_of(None, "json-2")
            else:
                self._dialect = dialect_of(await self._version(), self.options.protocol)
        return self._dialect

    async def search(self, model: str, domain: Sequence[Any], fields: Sequence[str], **more: Any) -> Sequence[Row]:
        """Returns the rows of a model."""
        given = {"domain": list(domain), "fields": list(fields), **more}
        found = await self.ask(Method(model, "search_read", given, context=self._context))
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise MalformedAnswer(f"ledger {self.options.name}: {model}.search_read: the answer is no list of rows")
        return found

    async def ask(self, method: Method, *, of_one: bool = False) -> Any:
        """Calls a method that writes nothing important.

        Raises TemporaryError, LedgerMisfit, LoginNeeded, MalformedAnswer, and with `of_one` PermanentError if Odoo
        refuses this payment.
        """
        dialect = await self.dialect()
        outgoing = await self._outgoing(method, dialect)
        tree = await self.client.ask(str(method), outgoing, of_one=of_one)
        return tree if dialect.json_2 else await self._result(str(method), tree, of_one=of_one, sent=False)

    async def send_payment(self, method: Method, permit: Permit) -> Any:
        """Makes a payment, once. Raises what `LedgerClient.send_payment` raises, and what `meaning` returns."""
        dialect = await self.dialect()
        outgoing = await self._outgoing(method, dialect)
        tree = await self.client.send_payment(str(method), outgoing, permit)
        return tree if dialect.json_2 else await self._result(str(method), tree, of_one=True, sent=True)

    @property
    def _context(self) -> Row:
        return {} if self.options.company is None else {"allowed_company_ids": [self.options.company]}

    def on_bill(self, bill: int) -> Row:
        """Returns the context in which the wizard finds the bill that it pays."""
        return {**self._context, "active_model": "account.move", "active_ids": [bill], "active_id": bill}

    async def _version(self) -> Any:
        outgoing = Outgoing("POST", "/jsonrpc", _JSON, _rpc("common", "version", ()))
        tree = await self.client.ask("version", outgoing, not_found_is_none=True)
        return None if tree is None else await self._result("version", tree, of_one=False, sent=False)

    async def _outgoing(self, method: Method, dialect: Dialect) -> Outgoing:
        token = await self.client.token()
        try:
            if dialect.json_2:
                headers = {**_JSON, "Authorization": f"bearer {token}", "X-Odoo-Database": self.options.database}
                target = f"/json/2/{method.model}/{method.name}"
                return Outgoing("POST", target, headers, _EXACT_JSON.encode(method.json_2))
            user = await self._number_of_user(token)
            args = (self.options.database, user, token, method.model, method.name, method.positional, method.named)
            return Outgoing("POST", "/jsonrpc", _JSON, _rpc("object", "execute_kw", args))
        except ValueError as error:  # half a surrogate pair in a text
            raise PermanentError(f"ledger {self.options.name}: {method}: {error}") from None

    async def _number_of_user(self, token: str) -> int:
        if self.options.user.isdecimal():
            return int(self.options.user)
        if self._user is None:
            args: Sequence[Any] = (self.options.database, self.options.user, token, {})
            outgoing = Outgoing("POST", "/jsonrpc", _JSON, _rpc("common", "authenticate", args))
            tree = await self.client.ask("authenticate", outgoing)
            found = await self._result("authenticate", tree, of_one=False, sent=False)
            if not isinstance(found, int) or found is False:
                text = f"ledger {self.options.name}: Odoo does not know the user {self.options.user} with this key"
                raise LoginNeeded(f"{text}; check user and database, or make a new API key")
            self._user = found
        return self._user

    async def _result(self, what: str, tree: Any, *, of_one: bool, sent: bool) -> Any:
        if isinstance(tree, Mapping) and tree.get("error"):
            self._dialect = None
            name, said = refusal_of(tree["error"])
            secrets = (await self.client.token(),)
            text = f"ledger {self.options.name}: {what}: {excerpt(said, secrets)}"
            raise meaning(name, text, of_one=of_one, sent=sent)
        if not isinstance(tree, Mapping) or "result" not in tree:
            text = f"ledger {self.options.name}: {what}: the answer is none of JSON-RPC"
            raise DoubtfulError(f"{text}; the payment may have been recorded") if sent else MalformedAnswer(text)
        return tree["result"]


def _rpc(service: str, method: str, args: Sequence[Any]) -> bytes:
    params = {"service": service, "method": method, "args": args}
    return _EXACT_JSON.encode({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params})
