"""how a ledger behind HTTP is reached, and which account pays in which currency"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Clash, Seconds, Token
from precoro_daemon.values.money import CURRENCY_CODE


def _as_text(value: object) -> object:
    """Turns ids that are whole numbers into text."""
    if not isinstance(value, dict):
        return value
    return {key: str(id_) if type(id_) is int else id_ for key, id_ in value.items()}


def _by_currency(accounts: dict[str, str]) -> dict[str, str]:
    if any(not CURRENCY_CODE.fullmatch(code) or not id_.strip() for code, id_ in accounts.items()):
        raise ValueError
    return accounts


Accounts = Annotated[
    dict[str, str],
    BeforeValidator(_as_text),
    AfterValidator(_by_currency),
    Allowed('a table of account ids by currency: { EUR = "id" }'),
]


class TokenAccess(Section):
    """Access to a ledger with a token: by a login, or with a token that another program keeps fresh."""

    grant_file: Path | None = None
    """File that `ledger login` makes and that the program renews. The program must be able to write into its
    directory.
    """

    token_file: Path | None = None
    """Instead of a login: file that holds only the token. It is refused if everyone can read it. It is read again
    before every call, so that another program can renew it.
    """

    token: Token | None = None
    """The token: from the environment, else from token_file, else from systemd's credential ledger_token. Never in
    the configuration file.
    """

    timeout: Seconds = 30.0
    """Seconds that one call may take in all. Vendors need some seconds for a payment; after a timeout, the payment
    has to be searched for.
    """

    @model_validator(mode="after")
    def _has_a_token(self) -> Self:
        if self.token is None and self.grant_file is None:
            raise Clash("missing; log in by `ledger login`, or give the token in token_file", at="grant_file")
        return self


class TokenLedger(TokenAccess):
    """A ledger that pays from one bank account for each currency."""

    accounts: Accounts = Field(default_factory=dict)
    """Ids of the bank accounts from which payments are recorded, by currency: { EUR = "id" }. A payment in another
    currency is refused, and shown. Without any account, the ledger takes no payments.
    """
