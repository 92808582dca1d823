"""logins at accounting systems, step by step, and what may be chosen after each"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from anyio import to_thread

from precoro_daemon.adapters.grants import device_flow
from precoro_daemon.adapters.grants.bearer import GrantBearer
from precoro_daemon.adapters.grants.code_flow import Client, CodeFlow, new_grant
from precoro_daemon.adapters.grants.directories.api import Api
from precoro_daemon.adapters.grants.directories.business_central import BusinessCentralDirectory
from precoro_daemon.adapters.grants.directories.odoo import OdooDirectory, databases
from precoro_daemon.adapters.grants.directories.quickbooks import IntuitDirectory
from precoro_daemon.adapters.grants.directories.xero import XeroDirectory
from precoro_daemon.adapters.grants.grant import Grant
from precoro_daemon.adapters.grants.grant_file import GrantFile
from precoro_daemon.adapters.grants.loopback import Loopback, redirect_to
from precoro_daemon.adapters.grants.token_endpoint import asked, revoke
from precoro_daemon.adapters.grants.vendors import APP_SCOPE, BUSINESS_CENTRAL, VENDORS
from precoro_daemon.app.ledger_config import Value, secret_file
from precoro_daemon.app.state import state_of
from precoro_daemon.errors import DaemonError, MalformedAnswer
from precoro_daemon.payments.ports.ledger_payments import LedgerPayments
from precoro_daemon.payments.ports.login_directory import Account, LoginDirectory, OpenBill, Organisation
from precoro_daemon.payments.rules.matching import MatchBy, is_supplier
from precoro_daemon.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """Where the accounting system is.

    login        another origin for all that the login talks to, for a rehearsal; api: the same for its data
    tenant       Entra's directory; environment: of Business Central
    """

    kind: str
    login: str = ""
    api: str = ""
    tenant: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """One that succeeded. Nothing of it is on the disk yet.

    company   that the login itself named, "" where it names none
    database, user, key   of Odoo, which has no grants
    """

    place: Place
    grant: Grant | None = None
    company: str = ""
    database: str = ""
    user: str = ""
    key: str = field(default="", repr=False)

    async def organisations(self) -> Sequence[Organisation]:
        async with self._directory() as directory:
            return await directory.organisations()

    async def accounts(self, organisation: Organisation) -> Sequence[Account]:
        async with self._directory() as directory:
            return await directory.accounts(organisation)

    async def open_bills(self, organisation: Organisation) -> Sequence[OpenBill]:
        async with self._directory() as directory:
            return await directory.open_bills(organisation)

    def values(self, company: str, file: Path) -> dict[str, Value]:
        """What the configuration says of it. file: of the grant, or of Odoo's key"""
        place = self.place
        known: dict[str, Value] = (
            {} if place.kind in VENDORS and place.api == api_of(place.kind) else {"base_url": place.api}
        )
        match place.kind:
            case "xero":
                known |= {"tenant_id": company}
            case "quickbooks":
                known |= {"realm_id": company}
            case "business_central":
                known |= {"tenant_id": place.tenant, "environment": place.environment, "company": company}
            case _:
                known |= {"database": self.database, "user": self.user, "company": company}
        return known | {"grant_file" if self.grant else "token_file": str(file)}

    @asynccontextmanager
    async def _directory(self) -> AsyncIterator[LoginDirectory]:
        place = self.place
        token = self.grant.access_token if self.grant else ""
        async with Api(place.api, token, (self.key,) if self.key else ()) as api:
            try:
                yield await self._directory_on(api)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                said = (
                    f"{place.api}: an answer without what its manual says is in it ({type(error).__name__}: {error})"
                )
                raise MalformedAnswer(said) from error

    async def _directory_on(self, api: Api) -> LoginDirectory:
        place = self.place
        match place.kind:
            case "xero":
                return XeroDirectory(api)
            case "quickbooks":
                return IntuitDirectory(api, self.company)
            case "business_central":
                return BusinessCentralDirectory(api, place.tenant, place.environment)
        odoo = OdooDirectory(api, self.database, self.user, self.key)
        await odoo.log_in()
        return odoo


class BrowserLogin:
    """At Xero and QuickBooks. `redirect`: as registered with the vendor; "" for the listener on this machine."""

    def __init__(self, place: Place, client: tuple[str, str], redirect: str, port: int) -> None:
        self._place = place
        self._port = port
        vendor = VENDORS[place.kind].at(place.login)
        self._flow = CodeFlow(vendor, Client(*client), redirect or redirect_to(port))

    @property
    def address(self) -> str:
        return self._flow.address

    async def wait(self, ready: Callable[[], None]) -> Login:
        """Until the browser comes to the listener; `ready` is called once that listens. Raises LoginFailed,
        ListenerUnusable."""
        loopback = Loopback(self._flow.is_ours)
        async with loopback.listening(self._port):
            ready()
            final = await loopback.final_address()
        return await self.finish(final)

    async def finish(self, final: str) -> Login:
        """With the address that the browser ended at. Raises LoginFailed."""
        grant, company = await self._flow.finished(final)
        return Login(self._place, grant, company)


async def log_in_by_device(place: Place, client: str, show: Callable[[str, str], None]) -> Login:
    """`show` gets the code, and where to type it. Raises LoginFailed."""
    vendor = BUSINESS_CENTRAL.at(place.login).of_tenant(place.tenant)
    code = await device_flow.begin(vendor, Client(client))
    show(code.user_code, code.address)
    return Login(place, await device_flow.finished(vendor, Client(client), code))


async def log_in_as_app(place: Place, client: tuple[str, str]) -> Login:
    """Without a user: an app that the books know, by its secret. Raises LedgerMisfit."""
    vendor = BUSINESS_CENTRAL.at(place.login).of_tenant(place.tenant)
    now = time.time()
    grant = new_grant(vendor, Client(*client), now, scope=APP_SCOPE)
    answer = await asked(grant, {"grant_type": "client_credentials", "scope": APP_SCOPE})
    return Login(place, grant.renewed(answer, now))


async def log_in_to_odoo(origin: str, database: str, user: str, key: str) -> Login:
    """Raises LoginFailed."""
    login = Login(Place("odoo", api=origin), database=database, user=user, key=key)
    await login.organisations()
    return login


async def odoo_databases(origin: str) -> Sequence[str]:
    """Those that the server shows."""
    async with Api(origin, "") as api:
        return await databases(api)


def api_of(kind: str) -> str:
    """The origin of the system's data, where the user names no other one."""
    return VENDORS[kind].api


async def keep(login: Login, path: Path, whose: str) -> None:
    """Write the grant, or Odoo's key, to its file. Raises LedgerMisfit, TemporaryError, ConfigurationError."""
    if login.grant:
        await GrantBearer(GrantFile(path), login.place.kind).take(login.grant, whose)
    else:
        await to_thread.run_sync(partial(secret_file, path, login.key))


async def log_out(path: Path) -> str:
    """Give the grant back where the system takes it, and delete the file in any case; why it was not taken back."""
    file = GrantFile(path)
    async with file.alone():
        grant = await to_thread.run_sync(file.recovered)
        said = ""
        if grant is not None:
            try:
                await revoke(grant)
            except DaemonError as error:
                said = str(error)
            await to_thread.run_sync(file.delete)
    return said


async def count_matches(settings: Settings, bills: Sequence[OpenBill]) -> int:
    """How many of the bills Precoro's mirror has an invoice for, by the configured name. Raises StoreUnusable."""
    by = settings.mark_invoices_paid.match_by
    async with state_of(settings).open_read_only() as store:
        found = 0
        for bill in bills:
            found += await _is_known(bill, by, store.ledger_payments)
        return found


async def _is_known(bill: OpenBill, by: MatchBy, payments: LedgerPayments) -> bool:
    for name in (bill.id, *bill.numbers):
        for invoice in await payments.invoices_named(by, name):
            if by != "number_and_supplier" or is_supplier(bill.supplier, invoice.supplier):
                return True
    return False
