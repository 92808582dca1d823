"""builds a ledger behind HTTP as the configuration describes it"""

from __future__ import annotations

from collections.abc import Sequence

from precoro_daemon.adapters.ledgers.paging import Paging
from precoro_daemon.adapters.ledgers.rest import (
    Call,
    Creating,
    Finding,
    Preparation,
    Reading,
    RestLedger,
    RestRequests,
)
from precoro_daemon.adapters.ledgers.rest_rows import RowShape
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.app.bearers import bearer_of
from precoro_daemon.settings import ledger_rest as given_rest


def build_rest(name: str, given: given_rest.RestLedger) -> RestLedger:
    requests = RestRequests(
        name=name,
        origin=given.base_url,
        timeout=given.timeout,
        headers=given.headers,
        values=given.values,
        error=given.error,
        messages=given.message,
        read=_reading(given.read) if given.read else None,
        create=_creating(given.create, given.prepare) if given.create else None,
        find=_finding(given.find) if given.find else None,
    )
    reader = RowReader(currency=given.currency, ours_prefix=given.ours_prefix)
    return RestLedger(requests, reader, bearer_of(given.token_file, given.token))


def _call(given: given_rest.Call) -> Call:
    return Call(given.method, given.path, given.headers, given.form, given.body)


def _reading(given: given_rest.ReadCall) -> Reading:
    fields = given.fields
    others = {name: path for name in _PAYMENT_FIELDS if (path := getattr(fields, name))}
    paging = Paging(given.paging, given.size, given.first, given.next, given.total, given.start, given.overlap)
    shape = RowShape(fields.key, others, fields.position, given.each, given.only, given.void)
    return Reading(_call(given), given.rows, given.rows_may_be_absent, paging, shape)


_PAYMENT_FIELDS = ("invoice", "amount", "currency", "paid_on", "supplier", "supplier_id", "ours")


def _creating(given: given_rest.CreateCall, before: Sequence[given_rest.PrepareCall]) -> Creating:
    steps = [Preparation(_call(step), step.take) for step in before]
    return Creating(_call(given), given.id, given.recorded.paths, given.repeat == "safe", steps)


def _finding(given: given_rest.FindCall) -> Finding:
    recorded = given.recorded.paths
    where = (given.rows, given.rows_may_be_absent, given.id, recorded, given.match, given.not_found_is_none)
    return Finding(_call(given), *where)
