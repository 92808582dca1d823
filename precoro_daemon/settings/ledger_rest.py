"""[ledger.rest]: the HTTP API of an accounting system, and the calls to it"""

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
    """Path and query. The value of a {name} in it is percent-encoded."""

    headers: Texts = Field(default_factory=dict)
    """Headers of this call, in addition to those of all calls."""

    form: Texts | None = None
    """The body as a form."""

    body: Json = None
    """The body as JSON. A text that consists only of one {name} becomes the value itself; an amount becomes an exact
    number.
    """

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.form is not None and self.body is not None:
            raise Clash("form and body exclude each other; allowed: one of them", at="form")
        return self

    def templates(self) -> Iterator[tuple[str, Any, bool]]:
        """Yields each setting, its template, and whether the token may be used in it. It may not be used in an
        address, because addresses are logged.
        """
        yield "path", self.path, False
        yield "headers", self.headers, True
        yield "form", self.form, True
        yield "body", self.body, True


class Fields(Section):
    """Where each value is in a row."""

    key: Paths
    """The ledger's own id of the payment. Several values are joined with slashes."""

    invoice: JsonPath
    """The ledger's name for the invoice."""

    amount: JsonPath
    """The amount paid."""

    currency: JsonPath = ""
    """The currency's three letters. Without it, currency of [ledger.rest] applies."""

    paid_on: JsonPath
    """The day of the payment."""

    supplier: JsonPath = ""
    """The ledger's name for the supplier: its name, or a number that Precoro has too."""

    supplier_id: JsonPath = ""
    """The ledger's own id of the supplier. It is compared only with suppliers that have an externalId in Precoro."""

    ours: JsonPath = ""
    """The place of our key, in payments that this program made."""

    position: JsonPath = ""
    """The value by which the list is sorted, usually the time of the last change. Without it, everything is read each
    time.
    """


class ReadCall(Call):
    """The list of payments."""

    rows: JsonPath
    """Where the list is in the answer."""

    rows_may_be_absent: Annotated[bool, one_of(("true", "false"))] = False
    """Whether an answer without the list means an empty one."""

    each: JsonPath = ""
    """A list within a row, if one payment in the ledger covers several invoices."""

    only: TextLists = Field(default_factory=dict)
    """The accepted values at these paths. Rows with other values are skipped."""

    void: TextLists = Field(default_factory=dict)
    """Values at these paths that mark a payment as reversed. Such rows count as payments of zero."""

    paging: Annotated[Literal["none", "page", "offset", "cursor", "link"], one_of(_PAGING)] = "none"
    """none: the whole list in one answer; page, offset: by number; cursor, link: the answer names the next page at
    `next`.
    """

    size: Annotated[int, Field(ge=1, le=10_000), Allowed("a whole number from 1 to 10000")] = 100
    """Number of rows of a full page."""

    first: Annotated[int, Field(ge=0, le=1), Allowed("0 or 1")] = 1
    """The number of the first page, or of the first row."""

    next: JsonPath = ""
    """Where the answer names the next page."""

    total: JsonPath = ""
    """Where the answer gives the total number of rows. A list that ends before this number is not trusted."""

    start: Annotated[str, Allowed("a text")] = "1970-01-01T00:00:00"
    """The position before the first payment."""

    overlap: Annotated[Seconds, Field(ge=0)] = 60.0
    """How far each read goes back, for payments that appeared late. If positions are times, it is a duration; if they
    are whole numbers, it is a number of positions, equal to the seconds.
    """

    fields: Fields
    """See [ledger.rest.read.fields]."""

    @model_validator(mode="after")
    def _can_turn_pages(self) -> Self:
        if self.paging in {"cursor", "link"} and not self.next:
            raise Clash(f"missing; paging = {self.paging} needs it", at="next")
        return self


class PrepareCall(Call):
    """A call before each payment. It must not change anything that matters."""

    take: Texts
    """Values taken from its answer for the calls after it: name = path in the answer."""


class Recorded(Section):
    """Where an answer shows what the ledger recorded. These values are compared with those sent before the payment
    counts.
    """

    amount: JsonPath = ""
    """The amount."""

    currency: JsonPath = ""
    """The currency's three letters."""

    paid_on: JsonPath = ""
    """The day of the payment."""

    invoice: JsonPath = ""
    """The ledger's name for the invoice."""

    @property
    def paths(self) -> dict[str, str]:
        return {name: path for name, path in self if path}


class CreateCall(Call):
    """The call that records a payment."""

    id: Paths
    """Where the new payment's id is in the answer."""

    recorded: Recorded = Field(default_factory=Recorded)
    """See [ledger.rest.create.recorded]."""

    repeat: Annotated[Literal["safe", "unsafe"], one_of(("safe", "unsafe"))] = "unsafe"
    """safe: the ledger recognises {key} for ever, so that a second call creates nothing new. If it keeps keys only
    for minutes or for a day, it is unsafe, because doubts are resolved later than that.
    """

    @model_validator(mode="after")
    def _has_the_key(self) -> Self:
        used = str([self.path, self.headers, self.form, self.body])
        if self.repeat == "safe" and "{key}" not in used and "{short_key}" not in used:
            raise Clash("safe, but the call does not carry {key}; allowed: unsafe", at="repeat")
        return self


class FindCall(Call):
    """The call that finds a payment by its key."""

    rows: JsonPath
    """Where the list of results is in the answer."""

    rows_may_be_absent: Annotated[bool, one_of(("true", "false"))] = False
    """Whether an answer without the list means that nothing was found."""

    id: Paths
    """Where the payment's id is in a row."""

    recorded: Recorded = Field(default_factory=Recorded)
    """See [ledger.rest.find.recorded]."""

    match: PlainText
    """Where the key is in a row. It is compared with the key that was searched, because an API that ignores the
    filter returns everything.
    """

    not_found_is_none: Annotated[bool, one_of(("true", "false"))] = False
    """Whether 404 means that nothing was found, and not that the address is wrong."""


class RestLedger(Section):
    """The HTTP API of an accounting system."""

    base_url: Origin
    """Scheme, host and port: the only address that gets the token. Plain http is allowed only to this machine
    itself.
    """

    token_file: Path | None = None
    """File that holds only the token. It is refused if everyone can read it. It is read again before every call, so
    that another program can renew it.
    """

    token: Token | None = None
    """The token: from the environment, else from token_file, else from systemd's credential ledger_token. Never in
    the configuration file.
    """

    timeout: Seconds = 15.0
    """Seconds that one call may take in all, so that it cannot delay a stop."""

    headers: Texts = Field(default_factory=dict)
    """Headers of every call."""

    values: Plain = Field(default_factory=dict)
    """Your own names for use in the calls, such as accounts and company ids."""

    currency: CurrencyCode = ""
    """The currency of rows without one."""

    ours_prefix: Annotated[str, Allowed("a text")] = ""
    """The text before the key in the field `ours`, in which people may write other things."""

    error: JsonPath = ""
    """Where an answer with a success status may still contain an error."""

    message: Paths | tuple[()] = ()
    """Where a refusal gives its reason in words; these paths are tried in order. Without it, the whole answer is
    shown.
    """

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
        """Yields each place with its template and the names that are allowed in it."""
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
