"""paying invoices over HTTP"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from precoro_daemon.adapters.http.exchange import Answer, Pairs, Request
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.precoro.queries import external_ids_query, page_query
from precoro_daemon.adapters.precoro.single_writes import SingleWrites
from precoro_daemon.errors import BadRecord, InvoiceUnfit, MalformedAnswer
from precoro_daemon.payments.ports.gateway import Fresh, PaymentRequest
from precoro_daemon.payments.rules.invoices import Payment, read_invoice, read_nested, read_payment
from precoro_daemon.quota.limits import Lane
from precoro_daemon.values.json_reading import plain_number, read_json
from precoro_daemon.values.money import plain
from precoro_daemon.writes.outcome import Convention, Outcome
from precoro_daemon.writes.permit import Permit

_MOST_NAMES = 200

_PAYMENT_CONVENTION = Convention(ambiguous=frozenset({"sumPaid"}))
""""Already paid" and "must not exceed" may be caused by this very payment, if its request arrived twice."""


class HttpPaymentGateway:
    """Implements `ports.gateway.PaymentGateway`."""

    def __init__(self, retrying: Retrying, writes: SingleWrites) -> None:
        self._retrying = retrying
        self._writes = writes

    async def read_invoice(self, idn: int | str) -> Fresh:
        def read(answer: Answer) -> Fresh:
            try:
                invoice = read_invoice(answer.body)
            except BadRecord as error:
                if _is_of(answer.body, idn):  # it says the same however often it is asked for
                    said = f"payments cannot go by invoice {idn}: {error}"
                    raise InvoiceUnfit(said, raw=answer.body.decode("utf-8", "replace")) from error
                raise MalformedAnswer(f"invoice {idn}: the answer is no invoice: {error}") from error
            if str(invoice.idn) != str(idn):
                raise MalformedAnswer(f"invoice {idn}: the answer is another one ({invoice})")
            return Fresh(invoice, answer.server_time, answer.body.decode())

        return await self._retrying.send(Request("GET", f"/invoices/{idn}", lane=Lane.PAYMENTS), read)

    async def create_payment(self, payment: PaymentRequest, permit: Permit) -> Outcome[Payment]:
        def read(body: bytes) -> Payment | None:
            made = _payment(body)
            return made if made and made.invoice_id in (None, payment.invoice_id) else None

        request = Request("POST", "/payments", form=_form(payment), lane=Lane.PAYMENTS)
        return await self._writes.write(request, permit, read, _PAYMENT_CONVENTION)

    async def name_payment(self, idn: int | str, external_id: str) -> None:
        await self._set(f"/payments/{idn}", "externalId", external_id)

    async def log_invoice(self, idn: int | str, text: str) -> None:
        await self._set(f"/invoices/{idn}", "externalIntegrationLog", text)

    async def _set(self, path: str, name: str, value: str) -> None:
        await self._retrying.send(Request("PATCH", path, form=((name, value),), lane=Lane.PAYMENTS), lambda _: None)

    async def find_payments(self, external_ids: Collection[str]) -> Sequence[Payment]:
        names = sorted(external_ids)[:_MOST_NAMES]
        query = (*external_ids_query(names), *page_query(1, _MOST_NAMES))

        def read(answer: Answer) -> Sequence[Payment]:
            if not isinstance(read_json(answer.body), dict | list):
                raise MalformedAnswer(f"{request}: the answer is no list of payments")
            # A filter the API does not know is ignored by it, so the rows are checked again.
            return [payment for payment in _payments(answer.body) if payment.external_id in names]

        request = Request("GET", "/payments", query, lane=Lane.PAYMENTS)
        return await self._retrying.send(request, read)


def _is_of(body: bytes, idn: int | str) -> bool:
    """Returns whether the body is that invoice, whatever is odd in it."""
    fields = read_json(body)
    inner = fields.get("data", fields) if isinstance(fields, dict) else None
    return isinstance(inner, dict) and "id" in inner and str(plain_number(inner.get("idn"))) == str(idn)


def _form(payment: PaymentRequest) -> Pairs:
    form = (
        ("invoice[id]", str(payment.invoice_id)),
        ("sumPaid", plain(payment.amount)),
        ("payDate", f"{payment.day.isoformat()}T00:00:00"),
        ("logicType", "0"),
    )
    return (*form, ("externalId", payment.external_id)) if payment.external_id else form


def _payment(body: bytes) -> Payment | None:
    try:
        return read_payment(body)
    except BadRecord:
        return None


def _payments(body: bytes) -> Sequence[Payment]:
    rows = (_payment(json.dumps(row, default=str).encode()) for row in read_nested(read_json(body)))
    return [row for row in rows if row is not None]
