"""paying invoices over HTTP: one request that is never repeated, and what its answer means"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from hashlib import blake2b

from precoro_daemon.adapters.http.exchange import Answer, Credentials, Exchange, Request, describe
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.precoro.refusals import REFUSING, errors_in, is_documented, loads
from precoro_daemon.errors import BadRecord, DaemonError, DoubtfulError, MalformedAnswer, TemporaryError
from precoro_daemon.payments.ports.gateway import Fresh, Outcome, PaymentRequest, Permit
from precoro_daemon.payments.rules.invoices import Payment, read_invoice, read_nested, read_payment
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.values.money import plain

_STALE = 5.0
"""Seconds after the permit from which nothing may leave any more."""

_MOST_NAMES = 200


class HttpPaymentGateway:
    """Implements `ports.PaymentDesk`."""

    def __init__(self, retrying: Retrying, once: Exchange, credentials: Credentials, clock: Clock) -> None:
        self._retrying = retrying
        self._once = once
        self._secrets = credentials.secrets
        self._clock = clock

    async def read_invoice(self, idn: int | str) -> Fresh:
        def read(answer: Answer) -> Fresh:
            try:
                invoice = read_invoice(answer.body)
            except BadRecord as error:
                raise MalformedAnswer(f"invoice {idn}: the answer is no invoice: {error}") from error
            if str(invoice.idn) != str(idn):
                raise MalformedAnswer(f"invoice {idn}: the answer is another one ({invoice})")
            return Fresh(invoice, answer.server_time, answer.body.decode())

        return await self._retrying.send(Request("GET", f"/invoices/{idn}", lane=Lane.PAYMENTS), read)

    async def pay(self, order: PaymentRequest, permit: Permit) -> Outcome:
        permitted_at: float | None = None

        def may_leave() -> bool:
            return permitted_at is not None and self._clock.now() - permitted_at <= _STALE

        async def ask() -> None:
            nonlocal permitted_at
            await permit(blake2b(request.body, digest_size=16).hexdigest())
            permitted_at = self._clock.now()

        request = Request("POST", "/payments", form=_form(order), lane=Lane.PAYMENTS, may_leave=may_leave)
        try:
            answer = await self._once.send_once(request, ask)
        except DaemonError as error:
            if permitted_at is None:
                raise
            return _failed(error)
        return self._judge(request, answer, order)

    def _judge(self, request: Request, answer: Answer, order: PaymentRequest) -> Outcome:
        said = describe(request, answer, self._secrets)
        if 200 <= answer.status < 300:
            payment = _payment(answer.body)
            named = payment is not None and payment.invoice_id in (None, order.invoice_id)
            return Outcome("accepted", said, payment) if named else Outcome("unknown", said)
        if answer.status == 429 and is_documented(answer):
            return Outcome("unsent", said)
        errors = errors_in(answer.body) if answer.status in REFUSING else {}
        # "Already paid" and "must not exceed" may speak of this very payment, made by a request that arrived twice.
        if errors and "sumPaid" not in errors:
            return Outcome("refused", said)
        return Outcome("unknown", said)

    async def mark_payment(self, idn: int | str, external_id: str) -> None:
        form = (("externalId", external_id),)
        await self._retrying.send(Request("PATCH", f"/payments/{idn}", form=form, lane=Lane.PAYMENTS), _ignore)

    async def log_invoice(self, idn: int | str, text: str) -> None:
        form = (("externalIntegrationLog", text),)
        await self._retrying.send(Request("PATCH", f"/invoices/{idn}", form=form, lane=Lane.PAYMENTS), _ignore)

    async def find_payments(self, external_ids: Collection[str]) -> Sequence[Payment]:
        names = sorted(external_ids)[:_MOST_NAMES]
        query = (*(("external_id[]", name) for name in names), ("page", "1"), ("per_page", "200"))

        def read(answer: Answer) -> Sequence[Payment]:
            # A filter the API does not know is ignored by it, so the rows are looked at again.
            return [payment for payment in _payments(answer.body) if payment.external_id in names]

        return await self._retrying.send(Request("GET", "/payments", query, lane=Lane.PAYMENTS), read)


def _form(order: PaymentRequest) -> tuple[tuple[str, str], ...]:
    form = (
        ("invoice[id]", str(order.invoice_id)),
        ("sumPaid", plain(order.amount)),
        ("payDate", f"{order.day.isoformat()}T00:00:00"),
        ("logicType", "0"),
    )
    return (*form, ("externalId", order.external_id)) if order.external_id else form


def _failed(error: DaemonError) -> Outcome:
    """What a failure after the permit means. Only what never left is known to have done nothing."""
    if isinstance(error, DoubtfulError):
        return Outcome("unknown", str(error))
    if isinstance(error, TemporaryError):
        return Outcome("unsent", str(error))
    return Outcome("unknown", str(error), ended=error)


def _payment(body: bytes) -> Payment | None:
    try:
        return read_payment(body)
    except BadRecord:
        return None


def _payments(body: bytes) -> Sequence[Payment]:
    rows = (_payment(json.dumps(row, default=str).encode()) for row in read_nested(loads(body)))
    return [row for row in rows if row is not None]


def _ignore(_: Answer) -> None:
    """That it was answered well is all there is to know."""
