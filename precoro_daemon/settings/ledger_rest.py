"""[ledger.rest]: an accounting system's HTTP interface and what is asked of it"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from precoro_daemon.payments.rules.entries import ENTRY_NAMES, SHORT_KEY
from precoro_daemon.settings.ledger_values import (
    CurrencyCode,
    Json,
    JsonPath,
    Paths,
    Plain,
    PlainText,
    TargetPath,
    TextLists,
    Texts,
    check_templates,
)
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Clash, Origin, Seconds, Token, one_of

_METHODS = ("GET", "POST", "PUT", "PATCH")
_PAGING = ("none", "page", "offset", "cursor", "link")
_READ_NAMES = ("position", "page", "offset", "size", "cursor")


class Call(Section):
    method: Annotated[Literal["GET", "POST", "PUT", "PATCH"], one_of(_METHODS)] = "GET"
    """The HTTP method."""

    path: TargetPath
    """Path and query. A {name} in it is percent-encoded."""

    headers: Texts = Field(default_factory=dict)
    """Headers of this call, beside those of all calls."""

    form: Texts | None = None
    """The body as a form."""

    body: Json = None
    """The body as JSON. A text that is nothing but one {name} becomes that value: an amount an exact number."""

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.form is not None and self.body is not None:
            raise Clash("form and body exclude each other; allowed: one of them", at="form")
        return self

    def templates(self) -> Iterator[tuple[str, Any, bool]]:
        """Setting, template, whether the token may stand there: in an address it would come into logs."""
        yield "path", self.path, False
        yield "headers", self.headers, True
        yield "form", self.form, True
        yield "body", self.body, True


class Fields(Section):
    """Where in a row things stand."""

    key: Paths
    """The ledger's own id of the payment; several are joined with slashes."""

    invoice: JsonPath
    """What the ledger calls the invoice."""

    amount: JsonPath
    """The amount paid."""

    currency: JsonPath = ""
    """The currency's three letters; without it currency of [ledger.rest] holds."""

    paid_on: JsonPath
    """The day of the payment."""

    supplier: JsonPath = ""
    """What the ledger calls the supplier: its name, or a number that Precoro has too."""

    supplier_id: JsonPath = ""
    """The ledger's own id of the supplier. It is compared only with a supplier that has an externalId in Precoro."""

    ours: JsonPath = ""
    """Where our key stands in payments that were made here."""

    position: JsonPath = ""
    """What the list is sorted by: usually the time of the last change. Without it everything is read each time."""


class ReadCall(Call):
    """The list of payments."""

    rows: JsonPath
    """Where the list stands in the answer."""

    rows_may_be_absent: Annotated[bool, one_of(("true", "false"))] = False
    """Whether an answer without the list means an empty one."""

    each: JsonPath = ""
    """A list within a row, if one payment there covers several invoices."""

    only: TextLists = Field(default_factory=dict)
    """Rows that have something else at these paths are passed over."""

    void: TextLists = Field(default_factory=dict)
    """Rows with one of these values were undone in the ledger; they count as payments of nothing."""

    paging: Annotated[Literal["none", "page", "offset", "cursor", "link"], one_of(_PAGING)] = "none"
    """none: all at once; page, offset: by number; cursor, link: the answer says at `next` how to go on."""

    size: Annotated[int, Field(ge=1, le=10_000), Allowed("a whole number from 1 to 10000")] = 100
    """Rows of a full page."""

    first: Annotated[int, Field(ge=0, le=1), Allowed("0 or 1")] = 1
    """The first page's number, or the first row's."""

    next: JsonPath = ""
    """Where the answer names the next page."""

    total: JsonPath = ""
    """Where the answer says how many rows the list has in all. One that ends before is not believed."""

    start: Annotated[str, Allowed("a text")] = "1970-01-01T00:00:00"
    """The position before the first payment."""

    overlap: Annotated[Seconds, Field(ge=0)] = 60.0
    """Seconds a reading reaches back, for payments that showed late; where positions are times."""

    fields: Fields
    """See [ledger.rest.read.fields]."""

    @model_validator(mode="after")
    def _can_turn_pages(self) -> Self:
        if self.paging in {"cursor", "link"} and not self.next:
            raise Clash(f"missing; paging = {self.paging} needs it", at="next")
        return self


class PrepareCall(Call):
    """A call before each payment that writes nothing of worth."""

    take: Texts
    """What is taken from its answer, for the calls after it: name = where it stands."""


class Recorded(Section):
    """Where an answer says what the ledger has. It is compared with what was sent before the payment counts."""

    amount: JsonPath = ""
    """The amount."""

    currency: JsonPath = ""
    """The currency's three letters."""

    paid_on: JsonPath = ""
    """The day of the payment."""

    invoice: JsonPath = ""
    """What the ledger calls the invoice."""

    @property
    def paths(self) -> dict[str, str]:
        return {name: path for name, path in self if path}


class CreateCall(Call):
    """The payment."""

    id: Paths
    """Where the new payment's id stands in the answer."""

    recorded: Recorded = Field(default_factory=Recorded)
    """See [ledger.rest.create.recorded]."""

    repeat: Annotated[Literal["safe", "unsafe"], one_of(("safe", "unsafe"))] = "unsafe"
    """safe: the interface knows {key} again for good, so a second call makes nothing new. Keys that are kept for
    minutes or a day only are unsafe: doubts are settled later than that."""

    @model_validator(mode="after")
    def _has_the_key(self) -> Self:
        used = str([self.path, self.headers, self.form, self.body])
        if self.repeat == "safe" and "{key}" not in used and "{short_key}" not in used:
            raise Clash("safe, but the call does not carry {key}; allowed: unsafe", at="repeat")
        return self


class FindCall(Call):
    """Finds a payment by its key."""

    rows: JsonPath
    """Where the list of what was found stands in the answer."""

    rows_may_be_absent: Annotated[bool, one_of(("true", "false"))] = False
    """Whether an answer without the list means that nothing was found."""

    id: Paths
    """Where in a row the payment's id stands."""

    recorded: Recorded = Field(default_factory=Recorded)
    """See [ledger.rest.find.recorded]."""

    match: PlainText
    """Where in a row the key stands. Held against it: an interface that ignores the filter finds everything."""

    not_found_is_none: Annotated[bool, one_of(("true", "false"))] = False
    """Whether 404 means that nothing was found, and not that the address is wrong."""


class RestLedger(Section):
    """An accounting system's HTTP interface."""

    base_url: Origin
    """Scheme, host and port: the only address that gets the token. Plain http only to this machine itself."""

    token_file: Path | None = None
    """File with the token and nothing else, readable by nobody else. Read again before every call, so that another
    program can renew it."""

    token: Token | None = None
    """From the environment, else token_file, else systemd's credential ledger_token; never in the file."""

    timeout: Seconds = 15.0
    """Seconds one call may take in all, so that a stop is not held up by it."""

    headers: Texts = Field(default_factory=dict)
    """Headers of every call."""

    values: Plain = Field(default_factory=dict)
    """Names of your own for use in the calls: accounts, company ids."""

    currency: CurrencyCode = ""
    """What is assumed where a row has no currency."""

    ours_prefix: Annotated[str, Allowed("a text")] = ""
    """What stands before the key in the field `ours`, where people may write other things."""

    error: JsonPath = ""
    """Where an answer with a good status may still carry an error."""

    message: Paths | tuple[()] = ()
    """Where a refusal says in words what is the matter, in this order. Without it all that was answered is shown."""

    read: ReadCall | None = None
    """See [ledger.rest.read]."""

    prepare: tuple[PrepareCall, ...] = ()
    """See [[ledger.rest.prepare]]."""

    create: CreateCall | None = None
    """See [ledger.rest.create]."""

    find: FindCall | None = None
    """See [ledger.rest.find]."""

    @model_validator(mode="after")
    def _calls_fit(self) -> Self:
        if self.read is None and self.create is None:
            raise Clash("missing; give read, create or both", at="read")
        for where, template, allowed in self._templates():
            try:
                check_templates(template, allowed)
            except Clash as clash:
                raise Clash(str(clash), at=where) from None
        uses_token = any("{token}" in str(template) for _, template, _ in self._templates())
        if uses_token and not self.token:
            raise Clash("missing; give the token: one line in token_file", at="token_file")
        return self

    def _templates(self) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
        """Place, template, the names that may stand in it."""
        given = tuple(self.values)
        yield "headers", self.headers, (*given, "token")
        taken: list[str] = []
        steps = [(f"prepare.{index}", call, call.take) for index, call in enumerate(self.prepare)]
        for where, call, take in (*steps, ("create", self.create, {})):
            if call:
                yield from _named(where, call, (*ENTRY_NAMES, *taken, *given))
                taken += take
        if self.read:
            yield from _named("read", self.read, (*_READ_NAMES, *given))
        if self.find:
            yield from _named("find", self.find, ("key", SHORT_KEY, *given))


def _named(where: str, call: Call, allowed: tuple[str, ...]) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    for setting, template, with_token in call.templates():
        yield f"{where}.{setting}", template, (*allowed, "token") if with_token else allowed
