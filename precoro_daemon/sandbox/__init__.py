"""a local Precoro: limits, pages, files, payments, faults; for tests and rehearsals

cards.py          list entries of payments, suppliers, catalogue items, fields and small sets
clock.py          the simulated clock, which may run faster than real time
company.py        the company's data, and the changes that users make to it
console.py        the page for people at `/`
control.py        remote control over HTTP, for tests that run another process
custom_fields.py  custom fields: their types, their nested options, and values that fit them
details.py        what a detail has beyond the list entry: lines, payments, files, options
downloads.py      a file as an answer: complete, or the requested rest; from this origin or another one
entries.py        list entries of documents, drawn from a row's facts
fault_kinds.py    all kinds of faults, one small function each, in one registry
faults.py         scripted faults: which call fails, how, and how often
files.py          attached files, small and valid, drawn from their id
filters.py        the filters of a list call, read from its query
forms.py          request bodies, read as the live API reads them
founding.py       the company as it is at the start, drawn from a seed
gate.py           the checks of every call, in order: journal, key, limits, faults, latency
history.py        two years of consistent documents and payments, drawn from a seed
journal.py        the journal of every request, for tests and for the page for people
ledger.py         a small SQLite ledger of the made-up company, as an accountant keeps it
limits.py         the limits as sliding or fixed windows in simulated time, and the 429 that reports them
names.py          the names in the company's data, in many scripts, read from names.json
options.py        the options of a sandbox: size, limits, time, list order, shapes
pages.py          one page of a list, joined from the rows' ready JSON
paying.py         rules of paying, and what a payment changes in its invoice or expense
procedures.py     approvals, receipts, contracts, field options, uploads, propositions
reads.py          the GET endpoints: lists, details, files
refusals.py       refusals in the vendor's own error shapes
replies.py        plain answers: JSON, an HTML page, a 429
rows.py           the rows of one collection in every list order, with a cache of filtered orders
schema.py         the collections and what each of them offers, as a table
server.py         the server itself, from options to an open port
shapes.py         the loose shapes of the live API's JSON; each row keeps its own for good
users.py          users who keep working while a client reads: they edit, insert, delete
webhooks.py       webhooks: each change by users is announced to up to five addresses, once, unsigned
writes.py         endpoints that write catalogue, suppliers, payments, small sets and external ids
"""

from precoro_daemon.sandbox.options import Quota, SandboxOptions
from precoro_daemon.sandbox.server import Sandbox, serve

__all__ = ["Quota", "Sandbox", "SandboxOptions", "serve"]
