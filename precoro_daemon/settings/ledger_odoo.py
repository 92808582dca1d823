"""[ledger.odoo]: a database of Odoo, its bank journals, and what the bills are called there"""

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
    """Scheme, host and port: the only address that gets the key. Plain http only to this machine itself."""

    database: PlainText
    """The name of the database."""

    user: _NumberOrText
    """Whose API key it is: the user's number, or the login."""

    token_file: Path | None = None
    """File with the API key and nothing else, readable by nobody else. Read again before every call."""

    token: Token
    """From the environment, else token_file, else systemd's credential ledger_token; never in the file."""

    journals: _Journals = Field(default_factory=dict)
    """The bank or cash journal that pays in each currency. A payment in a currency that is not here is refused;
    without any journal, none is made."""

    payment_method: Annotated[str, Allowed('the code of a payment method, such as "manual", or nothing')] = ""
    """The code of the payment method, such as manual or sepa_ct. Without it the journal's first one is used."""

    company: _Number | None = None
    """The number of the company whose bills are read, where the user sees several. Without it, all that the user sees
    are read."""

    bill_name: Annotated[
        Literal["id", "name", "ref", "payment_reference", "invoice_origin"], Lower, one_of(_BILL_NAMES)
    ] = "id"
    """The field of a bill that holds what match_by says: its number in the database, its name in Odoo, the supplier's
    number (ref), or another."""

    protocol: Annotated[Literal["auto", "json-rpc", "json-2"], Lower, one_of(_PROTOCOLS)] = "auto"
    """json-2 is spoken from Odoo 19 on. auto asks Odoo for its version."""

    overlap: Seconds = 600.0
    """Seconds a reading reaches back: Odoo dates a change to the moment its transaction began."""

    timeout: Seconds = 60.0
    """Seconds one call may take in all. Posting a payment takes Odoo a second or two, longer under load."""

    @model_validator(mode="after")
    def _journals_differ(self) -> Self:
        if len(set(self.journals.values())) < len(self.journals):
            raise Clash("one journal stands for two currencies; allowed: one journal for each", at="journals")
        return self
