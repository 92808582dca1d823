"""the ledger's accounts that payments are made from: one for each currency, in that currency"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, Protocol, TypeVar

from precoro_daemon.errors import DaemonError, PermanentError
from precoro_daemon.payments.ports.ledger import Probe


class Account(Protocol):
    """An account as the ledger describes it.

    currency  ISO 4217 in capitals
    closed    why no payment can be made from it, "" if payments can be made
    """

    @property
    def name(self) -> str: ...

    @property
    def currency(self) -> str: ...

    @property
    def closed(self) -> str: ...


A = TypeVar("A", bound=Account)


@dataclass(slots=True)
class Accounts(Generic[A]):
    """The accounts of the configuration. Each is read before its first payment and cached from then on.

    where   the setting that names them, for messages to people
    ids     the accounts' ids, by currency
    read    reads an account from the ledger; returns None if there is none with that id, raises what questions raise
    """

    where: str
    ids: Mapping[str, str]
    read: Callable[[str], Awaitable[A | None]]
    _known: dict[str, A] = field(default_factory=dict, init=False)

    async def of(self, currency: str) -> A:
        """Returns the account that pays in that currency. Raises PermanentError if no account can."""
        if currency not in self._known:
            if currency not in self.ids:
                named = ", ".join(sorted(self.ids)) or "none"
                raise PermanentError(f"no account pays in {currency!r} (but in: {named}); name one in {self.where}")
            self._known[currency] = await self._checked(currency)
        return self._known[currency]

    async def _checked(self, currency: str) -> A:
        id_ = self.ids[currency]
        account = await self.read(id_)
        if account is None:
            raise PermanentError(f"there is no account {id_}, which {self.where} names for {currency}")
        if account.currency != currency:
            raise PermanentError(
                f"account {account.name} is in {account.currency or 'no currency'}, and {self.where} names it for"
                f" {currency}"
            )
        if account.closed:
            raise PermanentError(f"account {account.name}: {account.closed}; see {self.where}")
        return account

    async def probes(self) -> AsyncIterator[Probe]:
        for currency in sorted(self.ids):
            yield await probed(f"account for {currency}", partial(self._shown, currency))

    async def _shown(self, currency: str) -> str:
        account = await self._checked(currency)
        return f"pays in {currency} from {account.name}"


async def probed(what: str, show: Callable[[], Awaitable[str]]) -> Probe:
    """Runs a check and returns what it found, or what is wrong."""
    try:
        return Probe(await show())
    except DaemonError as error:
        return Probe(what, str(error))
