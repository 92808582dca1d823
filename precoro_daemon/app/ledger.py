"""opens the ledger that the configuration names"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from precoro_daemon.adapters.http.route import use_route
from precoro_daemon.app.values import route_to

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from precoro_daemon.payments.ports.ledger import Ledger
    from precoro_daemon.settings import Settings

    _Opening = AbstractAsyncContextManager[Ledger]


@asynccontextmanager
async def open_ledger(settings: Settings) -> AsyncIterator[Ledger | None]:
    """The ledger, None if the configuration names none. It is not reached before the first call."""
    ledger = _build(settings)
    if ledger is None:
        yield None
    else:
        async with use_route(route_to(settings)), ledger as opened:
            yield opened


def _build(settings: Settings) -> _Opening | None:
    ledger = settings.ledger
    name = ledger.name or ""
    match ledger.kind:
        case "sql" if ledger.sql:
            from precoro_daemon.app.ledger_sql import build_sql

            return build_sql(name, ledger.sql)
        case "rest" if ledger.rest:
            from precoro_daemon.app.ledger_rest import build_rest

            return build_rest(name, ledger.rest)
        case "csv" if ledger.csv:
            from precoro_daemon.app.ledger_csv import csv_ledger

            return csv_ledger(name, ledger.csv)
    return _build_named(settings)


def _build_named(settings: Settings) -> _Opening | None:
    ledger, match_by = settings.ledger, settings.mark_invoices_paid.match_by
    name = ledger.name or ""
    match ledger.kind:
        case "xero" if ledger.xero:
            from precoro_daemon.app.ledger_online import build_xero

            return build_xero(name, ledger.xero)
        case "quickbooks" if ledger.quickbooks:
            from precoro_daemon.app.ledger_online import build_quickbooks

            return build_quickbooks(name, ledger.quickbooks)
        case "odoo" if ledger.odoo:
            from precoro_daemon.app.ledger_erp import build_odoo

            return build_odoo(name, ledger.odoo, match_by)
        case "business_central" if ledger.business_central:
            from precoro_daemon.app.ledger_erp import build_business_central

            return build_business_central(name, ledger.business_central, match_by)
    return None
