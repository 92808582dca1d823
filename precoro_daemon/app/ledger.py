"""opens the ledger that the configuration names"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from precoro_daemon.adapters.http.route import use_route
from precoro_daemon.adapters.ledgers.business_central.ledger import BusinessCentralLedger
from precoro_daemon.adapters.ledgers.csv import CsvLedger
from precoro_daemon.adapters.ledgers.odoo.ledger import OdooLedger
from precoro_daemon.adapters.ledgers.paging import Paging
from precoro_daemon.adapters.ledgers.quickbooks.ledger import QuickbooksLedger
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
from precoro_daemon.adapters.ledgers.sql import SqlLedger, SqlStatements
from precoro_daemon.adapters.ledgers.xero.ledger import XeroLedger
from precoro_daemon.app.bearers import bearer_of
from precoro_daemon.app.databases import open_named, secrets_of
from precoro_daemon.app.ledger_csv import csv_ledger
from precoro_daemon.app.ledger_erp import build_business_central, build_odoo
from precoro_daemon.app.ledger_online import build_quickbooks, build_xero
from precoro_daemon.app.values import route_to
from precoro_daemon.payments.ports.ledger import Ledger
from precoro_daemon.settings import Settings
from precoro_daemon.settings import ledger_rest as given_rest
from precoro_daemon.settings import ledger_sql as given_sql
from precoro_daemon.values.sql_statements import parse


@asynccontextmanager
async def open_ledger(settings: Settings) -> AsyncIterator[Ledger | None]:
    """The ledger, None if the configuration names none. It is not reached before the first call."""
    ledger = _build(settings)
    if ledger is None:
        yield None
    else:
        async with use_route(route_to(settings)), ledger as opened:
            yield opened


_Described = SqlLedger | RestLedger | CsvLedger
_Named = XeroLedger | QuickbooksLedger | OdooLedger | BusinessCentralLedger


def _build(settings: Settings) -> _Described | _Named | None:
    ledger = settings.ledger
    name = ledger.name or ""
    match ledger.kind:
        case "sql" if ledger.sql:
            return _sql(name, ledger.sql)
        case "rest" if ledger.rest:
            return _rest(name, ledger.rest)
        case "csv" if ledger.csv:
            return csv_ledger(name, ledger.csv)
    return _named(settings)


def _named(settings: Settings) -> _Named | None:
    ledger, match_by = settings.ledger, settings.mark_invoices_paid.match_by
    name = ledger.name or ""
    match ledger.kind:
        case "xero" if ledger.xero:
            return build_xero(name, ledger.xero)
        case "quickbooks" if ledger.quickbooks:
            return build_quickbooks(name, ledger.quickbooks)
        case "odoo" if ledger.odoo:
            return build_odoo(name, ledger.odoo, match_by)
        case "business_central" if ledger.business_central:
            return build_business_central(name, ledger.business_central, match_by)
    return None


def _sql(name: str, given: given_sql.SqlLedger) -> SqlLedger:
    dialect = given.address.dialect
    secrets = secrets_of(given)
    statements = {
        key: parse(text, dialect) if text else None
        for key, text in (("read", given.read), ("insert", given.insert), ("find", given.find))
    }
    given_statements = SqlStatements(
        name, start=given.start, timeout=given.timeout, overlap=given.overlap, secrets=secrets, **statements
    )
    reader = RowReader(ours_prefix=given.ours_prefix, secrets=secrets)
    return SqlLedger(given_statements, partial(open_named, given), reader)


def _rest(name: str, given: given_rest.RestLedger) -> RestLedger:
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
