"""Keeps a faithful local mirror of a company's Precoro data, inside Precoro's limits. The map:

__main__.py   entry point of `python -m precoro_daemon`
adapters/     the outside world: one package per thing on the other side
app/          builds adapters, wraps them, hands them to jobs; the only package that names both sides
catalogue/    the items of a supplier: planned, shown, written
cli/          arguments → settings → run → exit code; the only package that prints or exits
errors.py     every foreseen failure by name: whether it may be retried, its exit code, a hint for the operator
exports/      data out: the tables of the mirror as files or in a database, in one go or following its changes
files/        attached files: found, downloaded, verified
mirror/       the company's data as a local mirror: lists, details, census, custom fields, webhooks
payments/     payments in step between Precoro and the ledger, in both directions
quota/        which call may leave next: budget, rate limits, retries
runtime/      a scheduler that knows no Precoro: jobs, what becomes of them, and the lifecycle of the process
sandbox/      a local Precoro: limits, pages, files, payments, faults; for tests and rehearsals
settings/     TOML + environment + credential files → frozen Settings; the only reader of them
status/       one read model: how the program and its state are, and what needs a person
telemetry.py  structlog set-up, the declared event names, redaction, excerpts of foreign text
values/       plain values that know nothing of the rest: money, texts, addresses
writes/       writes that happen at most once though nothing at Precoro makes them idempotent
"""

__version__ = "0.2.0"
