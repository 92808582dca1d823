"""[ledger.odoo]: an Odoo database, its bank journals, and how its bills are named"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from precoro_daemon.settings.ledger_values import PlainText
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Clash, Lower, Origin, Seconds, Token, one_of, read_number

_PROTOCOLS = ("auto", "json-rpc", "json-2")
_BILL_NAMES = ("id", "name", "ref", "payment_reference", "invoice_origin")


def _as_text(value: object) -> object:
    number = read_number(value)
    return str(number) if isinstance(number, int) else number


_NumberOrText = Annotated[PlainText, BeforeValidator(_as_text)]
_Number = Annotated[int, BeforeValidator(read_number), Field(ge=1), Allowed("a whole number ≥ 1")]
_Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), Allowed("a currency code of three capitals, such as EUR")]
_Journals = Annotated[
    dict[_Currency, _NumberOrText],
    Allowed("a table with the journal of each currency by number or short code: { EUR = 7 }"),
]


class OdooLedger(Section):
    """Odoo 16 to 19."""

    base_url: Origin
    """Scheme, host and port: the only address that gets the key. Plain http is allowed only to this machine
    itself.
    """

    database: PlainText
    """The name of the database."""

    user: _NumberOrText
    """The user who owns the API key: the user's number, or the login."""

    token_file: Path | None = None
    """File that holds only the API key. It is refused if everyone can read it. It is read again before every call."""

    token: Token
    """The API key: from the environment, else from token_file, else from systemd's credential ledger_token. Never in
    the configuration file.
    """

    journals: _Journals = Field(default_factory=dict)
    """The bank or cash journal that pays in each currency. A payment in another currency is refused. Without any
    journal, no payment is made.
    """

    payment_method: Annotated[str, Allowed('the code of a payment method, such as "manual", or nothing')] = ""
    """The code of the payment method, such as manual or sepa_ct. Without it, the journal's first method is used."""

    company: _Number | None = None
    """The number of the company whose bills are read, if the user sees several companies. Without it, all bills that
    the user sees are read.
    """

    bill_name: Annotated[
        Literal["id", "name", "ref", "payment_reference", "invoice_origin"], Lower, one_of(_BILL_NAMES)
    ] = "id"
    """The field of a bill that is compared with Precoro, as match_by says: its number in the database, its name in
    Odoo, the supplier's number (ref), or another.
    """

    protocol: Annotated[Literal["auto", "json-rpc", "json-2"], Lower, one_of(_PROTOCOLS)] = "auto"
    """json-2 exists from Odoo 19 on. auto asks Odoo for its version."""

    overlap: Seconds = 600.0
    """Seconds by which each read goes back, because Odoo dates a change to the start of its transaction."""

    timeout: Seconds = 60.0
    """Seconds that one call may take in all. Odoo posts a payment in a second or two, more slowly under load."""

    @model_validator(mode="after")
    def _journals_differ(self) -> Self:
        if len(set(self.journals.values())) < len(self.journals):
            raise Clash("one journal stands for two currencies; allowed: one journal for each", at="journals")
        return self
