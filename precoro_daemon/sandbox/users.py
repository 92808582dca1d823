"""users who keep working while a client reads: they edit, insert, delete"""

from dataclasses import dataclass
from random import Random

from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.company import Company
from precoro_daemon.sandbox.custom_fields import options, with_one_renamed
from precoro_daemon.sandbox.names import words
from precoro_daemon.sandbox.paying import Wish, pay
from precoro_daemon.sandbox.refusals import RefusedError
from precoro_daemon.sandbox.rows import Row

DOCUMENTS_MOSTLY = (*schema.DOCUMENTS, "purchaseorders", "invoices", "invoices", "suppliers", "items")
OPEN_STATUSES = (schema.PENDING, schema.APPROVED, schema.DENIED, schema.ON_REVISE, schema.CANCELED)
UNTOUCHED = (schema.PAID, schema.PARTLY_PAID)

Change = dict[str, object]
"""A change by a user: {"what": create | edit | delete, "collection", "id"}."""


@dataclass(frozen=True)
class Load:
    """The number of changes of each kind, and the collections to change."""

    create: int = 0
    edit: int = 0
    delete: int = 0
    collections: tuple[str, ...] = DOCUMENTS_MOSTLY


def work(company: Company, random: Random, load: Load) -> list[Change]:
    """Makes all changes of a load in a random order and returns them. The same seed makes the same choices."""
    tasks = ["create"] * load.create + ["edit"] * load.edit + ["delete"] * load.delete
    random.shuffle(tasks)
    done = [_act(company, random, task, random.choice(load.collections)) for task in tasks]
    return [change for change in done if change is not None]


def act_somehow(company: Company, random: Random) -> Change | None:
    """Makes one random change: mostly an edit, sometimes an insert, rarely a deletion. None if there was nothing to
    change.
    """
    task = random.choices(("edit", "create", "delete"), (6, 3, 1))[0]
    return _act(company, random, task, random.choice(DOCUMENTS_MOSTLY))


def _act(company: Company, random: Random, task: str, collection: str) -> Change | None:
    if task == "create":
        row = _insert(company, random, collection)
    else:
        found = _any_row(company, random, collection)
        if found is None:
            return None
        row = found
        if task == "edit":
            _edit(company, random, row)
        else:
            company.delete(row)
    return {"what": task, "collection": collection, "id": row.id}


def _any_row(company: Company, random: Random, collection: str) -> Row | None:
    rows, total = company[collection].everything()
    return company.row(collection, rows[random.randrange(total)]) if total else None


def _insert(company: Company, random: Random, collection: str) -> Row:
    supplier = _any_row(company, random, "suppliers")
    row = company.create(collection, total=random.randrange(100, 900_000), supplier=supplier, status=schema.PENDING)
    if random.random() < 0.3:
        row.files = 1
        company.touch(row)
    if collection == "receipts":
        order = _any_row(company, random, "purchaseorders")
        if order is not None:
            company.attach(row, order)
    return row


def _edit(company: Company, random: Random, row: Row) -> None:
    note = str(random.choice(words("notes"))) + f" ({random.randrange(10_000)})"
    paid_for = row.collection in ("invoices", "expenses") and row.status in UNTOUCHED
    if row.collection in schema.CUSTOM_FIELDS and options(row):
        renamed = f"{random.choice(words('options'))} {random.randrange(10_000)}"
        company.edit(row, _options=with_one_renamed(row, random.randrange(100), renamed))
    elif row.collection == "items":
        company.edit(row, description=note, total=random.randrange(100, 90_000))
    elif paid_for or not schema.COLLECTIONS[row.collection].document:
        company.edit(row, note=note)
    elif row.status == schema.APPROVED and random.random() < 0.4 and _pay_some(company, random, row):
        return
    else:
        _revise(company, random, row, note)


def _revise(company: Company, random: Random, row: Row, note: str) -> None:
    status = random.choice(OPEN_STATUSES)
    approved = company.now() if status == schema.APPROVED else row.approved
    lines = 1 + random.randrange(6)
    company.edit(row, note=note, status=status, approved=approved, lines=lines, total=random.randrange(100, 900_000))


def _pay_some(company: Company, random: Random, row: Row) -> bool:
    payments = {"invoices": "payments", "expenses": "expensePayments"}.get(row.collection)
    if payments is None:
        return False
    amount = row.total if random.random() < 0.5 else row.total // 3
    try:
        pay(company, payments, row, Wish(amount, company.now()))
    except RefusedError:
        return False
    return True
