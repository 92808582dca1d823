"""how a ledger behind HTTP is reached, and from which account it pays in which currency"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Clash, Seconds, Token
from precoro_daemon.values.money import CURRENCY_CODE


def _as_text(value: object) -> object:
    """An id that is a number may be written as one."""
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
    """How a ledger with a token is got into: by a login, or with a token that another program keeps fresh."""

    grant_file: Path | None = None
    """File that `ledger login` made, and that the program renews: it must be able to write into its directory."""

    token_file: Path | None = None
    """Instead of a login: file with the token and nothing else, readable by nobody else. Read again before every
    call, so that another program can renew it."""

    token: Token | None = None
    """From the environment, else token_file, else systemd's credential ledger_token; never in the file."""

    timeout: Seconds = 30.0
    """Seconds one call may take in all. Vendors take some for a payment; what takes longer has to be searched for."""

    @model_validator(mode="after")
    def _has_a_token(self) -> Self:
        if self.token is None and self.grant_file is None:
            raise Clash("missing; log in by `ledger login`, or give the token in token_file", at="grant_file")
        return self


class TokenLedger(TokenAccess):
    """One that pays from a bank account for each currency."""

    accounts: Accounts = Field(default_factory=dict)
    """Ids of the bank accounts that payments are recorded from, by currency: { EUR = "id" }. A payment in another
    currency is refused, and shown. Without any the ledger takes no payments."""
