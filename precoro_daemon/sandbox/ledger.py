"""a small SQLite ledger of the made-up company, as an accountant keeps it"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.clock import stamp
from precoro_daemon.sandbox.company import Company
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.shapes import exact

TABLE = """
CREATE TABLE payments (
    id INTEGER PRIMARY KEY,
    bill TEXT NOT NULL,
    supplier TEXT,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    paid_on TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    precoro_key TEXT UNIQUE
);
CREATE TRIGGER payments_change AFTER INSERT ON payments
BEGIN
    UPDATE payments SET changed_at = (SELECT max(changed_at) + 1 FROM payments) WHERE id = NEW.id;
END;
"""

READ = (
    "SELECT id AS key, bill AS invoice, supplier, amount, currency, paid_on, changed_at AS position,"
    " precoro_key AS ours FROM payments WHERE changed_at > :position ORDER BY changed_at"
)
INSERT = (
    "INSERT INTO payments (bill, supplier, amount, currency, paid_on, changed_at, precoro_key)"
    " VALUES (:invoice_idn, :supplier_name, :amount, :currency, :paid_on, 0, :key) ON CONFLICT DO NOTHING"
)
FIND = "SELECT id FROM payments WHERE precoro_key = :key"


def configuration(path: Path) -> str:
    """Returns the configuration of this ledger. Its payments name invoices by idn."""
    return (
        f'[ledger]\nkind = "sql"\nname = "sandbox books"\n\n[ledger.sql]\nurl = "sqlite:///{path.resolve()}"\n'
        f'read = "{READ}"\nstart = "0"\ninsert = "{INSERT}"\nfind = "{FIND}"\n\n'
        '[mark_invoices_paid]\nenabled = true\nmatch_by = "idn"\n\n[export_payments]\nenabled = true\n'
    )


def found(path: Path) -> None:
    """Creates an empty ledger and replaces any that exists."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(TABLE)


def record(path: Path, invoice: Row, cents: int, day: str) -> int:
    """Enters a payment, as an accountant does, and returns its number."""
    supplier = None if invoice.supplier is None else invoice.supplier.name
    with closing(sqlite3.connect(path)) as database, database:
        row = (str(invoice.idn), supplier, exact(cents), invoice.currency, day)
        added = database.execute(
            "INSERT INTO payments (bill, supplier, amount, currency, paid_on, changed_at) VALUES (?, ?, ?, ?, ?, 0)",
            row,
        )
        return int(added.lastrowid or 0)


def read(path: Path) -> Sequence[tuple[int, str, str, str | None]]:
    """Returns number, bill, amount and our key of every payment, in the order of entry."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        return database.execute("SELECT id, bill, amount, precoro_key FROM payments ORDER BY id").fetchall()


def payable(company: Company) -> Sequence[Row]:
    """Returns the invoices that can be paid, oldest first, without credit notes, split invoices and their parts."""
    return [
        row
        for row in company["invoices"]
        if row.status in (schema.APPROVED, schema.PARTLY_PAID)
        and row.logic not in (schema.CREDIT_NOTE, schema.CREDIT_NOTE_TOO)
        and row.split_of is None
        and not any(other.split_of is row for other in row.linked or ())
        and row.total > row.paid
    ]


def pay_some(path: Path, company: Company, count: int) -> int:
    """Enters payments for some of the company's invoices and returns their number.

    The amounts are, in turn, all that is owed, half of it, and one cent less.
    """
    rows = payable(company)[:count]
    for number, row in enumerate(rows):
        owed = row.total - row.paid
        cents = (owed, max(1, owed // 2), max(1, owed - 1))[number % 3]
        record(path, row, cents, stamp(company.now())[:10])
    return len(rows)
