"""the rest ledger: payments behind an HTTP interface, by the requests of the configuration"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec

from precoro_daemon.adapters.http.bearer import Bearer
from precoro_daemon.adapters.http.origin import Outgoing
from precoro_daemon.adapters.ledgers.answers import MISSING, Absent, joined, rows_at, value_at
from precoro_daemon.adapters.ledgers.cells import CellError, read_amount, read_currency, read_day, read_name
from precoro_daemon.adapters.ledgers.client import HttpLedger, LedgerClient, Manners
from precoro_daemon.adapters.ledgers.paging import PageScan, Paging
from precoro_daemon.adapters.ledgers.rest_rows import RowShape, positions_of, read_rows
from precoro_daemon.adapters.ledgers.rows import ROWS_A_BATCH, RowReader
from precoro_daemon.errors import DoubtfulError, LedgerMisfit, PermanentError, SeveralFound
from precoro_daemon.payments.ports.ledger import Capabilities, Entry, Probe
from precoro_daemon.payments.rules.entries import named, short_key
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch
from precoro_daemon.payments.rules.receipts import Receipt
from precoro_daemon.telemetry import get_logger
from precoro_daemon.values.templates import fill_address, fill_header, fill_json, fill_text
from precoro_daemon.writes.permit import Permit

_LARGEST_ANSWER_BYTES = 16 * 2**20
_log = get_logger()
_EXACT = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that contains {names}. `form` and `body` (JSON) exclude each other."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class Reading:
    call: Call
    rows: str
    rows_may_be_absent: bool
    paging: Paging
    shape: RowShape


@dataclass(frozen=True, slots=True)
class Preparation:
    """A call before the payment that writes nothing important. `take` names the paths of values in its answer."""

    call: Call
    take: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Creating:
    """How to record a payment.

    safe_to_repeat  whether the interface itself recognises a repeated key, without a time limit
    recorded        paths of what the answer says was recorded, by field of `Receipt`
    """

    call: Call
    identity: Sequence[str]
    recorded: Mapping[str, str]
    safe_to_repeat: bool
    before: Sequence[Preparation] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """How to find a payment by its key.

    match     path of the key in a row; it is compared, because an interface that ignores the filter finds everything
    recorded  paths of what a row says was recorded, by field of `Receipt`
    """

    call: Call
    rows: str
    rows_may_be_absent: bool
    identity: Sequence[str]
    recorded: Mapping[str, str]
    match: str
    not_found_is_none: bool = False


@dataclass(frozen=True, slots=True)
class RestRequests:
    """The requests to the interface, and the ledger's name."""

    name: str
    origin: str
    timeout: float
    headers: Mapping[str, str]
    values: Mapping[str, Any]
    error: str = ""
    messages: Sequence[str] = ()
    read: Reading | None = None
    create: Creating | None = None
    find: Finding | None = None


class RestLedger(HttpLedger):
    """Implements `Ledger`.

    Every call uses a new connection: on a kept one that the server has just closed, a payment that never arrived
    would become a doubt. A payment is sent once. The bearer is asked for the token before every call, so that
    another program can keep it fresh.
    """

    def __init__(self, requests: RestRequests, reader: RowReader, bearer: Bearer) -> None:
        self._given = requests
        self._reader = reader
        manners = Manners(requests.timeout, scheme="", error=requests.error, messages=requests.messages)
        super().__init__(LedgerClient(requests.name, requests.origin, bearer, manners))

    @property
    def capabilities(self) -> Capabilities:
        create = self._given.create
        return Capabilities(
            reads=self._given.read is not None,
            create="none" if create is None else "idempotent" if create.safe_to_repeat else "plain",
            lookup="key" if self._given.find else "none",
        )

    async def _batches(self, position: str | None) -> AsyncGenerator[LedgerBatch, None]:
        reading = self._given.read
        assert reading
        scan = PageScan(reading.paging, position, self._given.origin)
        while True:
            outgoing = await self._outgoing("read", reading.call, scan.values, scan.link)
            answer = await self._client.ask("read", outgoing, not_found_is_none=scan.asks_past_the_end)
            if scan.has_ended(answer):
                return
            found = rows_at(answer, reading.rows, may_be_absent=reading.rows_may_be_absent)
            if scan.has_ended(found):
                return
            for start in range(0, len(found), ROWS_A_BATCH):
                piece = found[start : start + ROWS_A_BATCH]
                read = read_rows(piece, reading.shape, self._reader)
                scan.follow([*positions_of(piece, reading.shape)])
                yield LedgerBatch(read.payments, read.unreadable, scan.safe, read.undone)
            if not scan.goes_on(answer, found, outgoing.target):
                if scan.is_suspect(len(found)):
                    _log.warning("ledger_list_doubted", ledger=self.name, rows=len(found), path=reading.paging.next)
                return

    async def create(self, entry: Entry, permit: Permit) -> Receipt:
        creating = self._given.create
        assert creating
        values: dict[str, Any] = named(asdict(entry))
        for step in creating.before:
            values |= await self._prepare(step, values)
        outgoing = await self._outgoing("create", creating.call, values)
        tree = await self._client.send_payment("create", outgoing, permit)
        try:
            return self._receipt(joined(tree, creating.identity), tree, creating.recorded)
        except (Absent, CellError) as error:
            text = f"ledger {self.name}: create: the payment was taken, but what it is there is unknown: {error}"
            raise DoubtfulError(text) from None

    async def _prepare(self, step: Preparation, values: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._ask("prepare", step.call, values, of_one=True)
        taken = {name: _taken(answer, path) for name, path in step.take.items()}
        lacking = [step.take[name] for name, value in taken.items() if value is None]
        if lacking:
            raise PermanentError(f"ledger {self.name}: prepare: the answer has nothing at {', '.join(lacking)}")
        return taken

    async def find(self, key: str) -> Receipt | None:
        finding = self._given.find
        assert finding
        answer = await self._ask(
            "find",
            finding.call,
            {"key": key, "short_key": short_key(key)},
            not_found_is_none=finding.not_found_is_none,
        )
        if answer is None:
            return None
        found = rows_at(answer, finding.rows, may_be_absent=finding.rows_may_be_absent)
        try:
            return self._found(found, key, finding)
        except (Absent, CellError) as error:
            raise PermanentError(f"ledger {self.name}: find: payment {key}: {error}") from None

    def _found(self, rows: Sequence[Any], key: str, finding: Finding) -> Receipt | None:
        ours = [row for row in rows if _holds(value_at(row, finding.match), key)]
        if len(ours) < len(rows):
            raise LedgerMisfit(
                f"ledger {self.name}: find: was asked for one payment and got others too (no key at {finding.match});"
                " the request does not select by key"
            )
        there = {joined(row, finding.identity): row for row in ours}
        if len(there) > 1:
            raise SeveralFound(f"ledger {self.name} has {len(there)} payments under the key {key}")
        return next((self._receipt(identity, row, finding.recorded) for identity, row in there.items()), None)

    def _receipt(self, identity: str, row: Any, recorded: Mapping[str, str]) -> Receipt:
        """Reads a receipt from a row. Raises Absent if a path of the configuration has no value, and CellError."""
        said: dict[str, Any] = {}
        for name, path in recorded.items():
            value = value_at(row, path)
            if value in (MISSING, None):
                raise Absent(f"{name}: nothing stands at {path}")
            said[name] = _READERS[name](value)
        return Receipt(identity, **said)

    async def probe(self) -> Sequence[Probe]:
        return ()

    async def _ask(
        self,
        what: str,
        call: Call,
        values: Mapping[str, Any],
        *,
        target: str | None = None,
        of_one: bool = False,
        not_found_is_none: bool = False,
    ) -> Any:
        outgoing = await self._outgoing(what, call, values, target)
        return await self._client.ask(what, outgoing, of_one=of_one, not_found_is_none=not_found_is_none)

    async def _outgoing(
        self, what: str, call: Call, values: Mapping[str, Any], target: str | None = None
    ) -> Outgoing:
        token = await self._client.token()
        known = {**self._given.values, **values}
        with_token = known | {"token": token}
        try:
            headers = {**self._given.headers, **call.headers}
            filled = {name: fill_header(text, with_token) for name, text in headers.items()}
            body, kind = _body(call, with_token)
            address = target or fill_address(call.path, known)
        except ValueError as error:  # TemplateError, or a text with half a surrogate pair
            raise PermanentError(f"ledger {self.name}: {what}: {error}") from None
        return Outgoing(call.method, address, {**kind, **filled}, body)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "amount": read_amount,
    "currency": read_currency,
    "paid_on": read_day,
    "invoice": partial(read_name, "invoice"),
}


def _holds(value: Any, key: str) -> bool:
    text = str(value)
    return key in text or short_key(key) in text


def _taken(answer: Any, path: str) -> Any:
    try:
        value = value_at(answer, path)
    except Absent:
        return None
    return value if isinstance(value, str | int) and value is not MISSING and value != "" else None


def _body(call: Call, values: Mapping[str, Any]) -> tuple[bytes | None, Mapping[str, str]]:
    if call.form is not None:
        pairs = {name: fill_text(text, values) for name, text in call.form.items()}
        return urlencode(pairs).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if call.body is not None:
        return _EXACT.encode(fill_json(call.body, values)), {"Content-Type": "application/json"}
    return None, {}
