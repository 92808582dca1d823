"""The ledgers that have to keep the contract. A new one is added to `LEDGERS` and to nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.ledgers.books import Books
from tests.contracts.ledgers.business_central import central_books
from tests.contracts.ledgers.configured import SHAPES, csv_books, rest_books
from tests.contracts.ledgers.databases import mysql_books, postgres_books, sqlite_books
from tests.contracts.ledgers.odoo_books import ODOOS, odoo_books
from tests.contracts.ledgers.online import quickbooks_books, xero_books

DATABASES = (
    "sqlite",
    "sqlite without a unique key",
    "postgresql",
    "postgresql without a unique key",
    "mysql",
    "mysql without a unique key",
)
LEDGERS = (*DATABASES, *SHAPES, "csv", "xero", "quickbooks", *ODOOS, "business_central")

Open = Callable[[], AbstractAsyncContextManager[Books]]


def opened(name: str, request: pytest.FixtureRequest, directory: Path) -> AbstractAsyncContextManager[Books]:
    options: dict[str, Any] = {"unique": False} if "without" in name else {}
    match name.split(maxsplit=1)[0]:
        case "sqlite":
            return sqlite_books(directory, **options)
        case "postgresql":
            return postgres_books(request.getfixturevalue("postgres"), **options)
        case "mysql":
            return mysql_books(request.getfixturevalue("mariadb"), **options)
        case "csv":
            return csv_books(directory)
        case "odoo":
            return odoo_books(name, directory)
        case "business_central":
            return central_books(directory)
        case "xero":
            return xero_books(directory)
        case "quickbooks":
            return quickbooks_books(directory)
    return rest_books(name, directory)


@pytest.fixture(params=LEDGERS)
def open_books(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    return lambda: opened(request.param, request, tmp_path)
